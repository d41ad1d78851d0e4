"""Exec plugins, run for real as small Python programs."""

import asyncio
import contextlib
import datetime as dt
import json
import pathlib
import sys
import textwrap

import pytest
from fakes.clock import FakeClock

from flinkop.kube.errors import ConfigError
from flinkop.kube.execplugin import ExecPlugin, ExecSpec

VERSION = "client.authentication.k8s.io/v1"
GOOD = """
import json, os, pathlib
count = pathlib.Path("count"); n = int(count.read_text()) + 1 if count.exists() else 1
count.write_text(str(n))
status = {"token": f"token-{n}"} | json.loads(os.environ.get("STATUS", "{}"))
print(json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}))
"""


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def plugin(tmp_path, clock, monkeypatch):
    """Make a plugin of a program's text."""
    monkeypatch.chdir(tmp_path)

    def make(program=GOOD, timeout=20.0, **options):
        script = tmp_path / "plugin.py"
        script.write_text(textwrap.dedent(program))
        section = {
            "command": sys.executable,
            "args": [str(script)],
            "apiVersion": VERSION,
            "env": [{"name": k, "value": v} for k, v in options.pop("env", {}).items()],
        } | options
        cluster = {
            "server": "https://example.invalid",
            "certificate-authority-data": "Q0E=",
            "extensions": [
                {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x"}}
            ],
        }
        return ExecPlugin(ExecSpec.parse(section, cluster, tmp_path), clock, timeout)

    return make


def _expiring(clock, **delta):
    moment = (clock.now() + dt.timedelta(**delta)).isoformat().replace("+00:00", "Z")
    return {"STATUS": json.dumps({"expirationTimestamp": moment})}


async def token(made, **options):
    return (await made.credential(**options)).token


async def test_token_is_reused(plugin):
    """An answer without expiry is used for ever, until it is refused."""
    made = plugin()
    first = await made.credential()
    assert (first.token, made.runs) == ("token-1", 1)
    assert await token(made) == "token-1"
    assert await token(made, refused=1) == "token-2"
    assert await token(made, refused=1) == "token-2"


async def test_expiry(plugin, clock):
    """An answer is renewed a minute before it expires, clocks being what they are."""
    made = plugin(env=_expiring(clock, minutes=10))
    assert await token(made) == "token-1"
    clock.advance(8 * 60)
    assert await token(made) == "token-1"
    clock.advance(61)
    assert await token(made) == "token-2"


async def test_single_flight(plugin):
    """However many wait, the plugin runs once."""
    made = plugin()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(made.credential()) for _ in range(5)]
    assert {task.result().token for task in tasks} == {"token-1"}
    assert made.runs == 1


async def test_client_certificate(plugin):
    """A plugin may give a certificate instead of a token."""
    made = plugin(
        env={
            "STATUS": json.dumps({"token": "", "clientCertificateData": "C", "clientKeyData": "K"})
        }
    )
    given = await made.credential()
    assert (given.token, given.client_certificate_data, given.client_key_data) == ("", "C", "K")


async def test_cluster_info(plugin):
    """The plugin is told about the cluster when the kubeconfig asks for it."""
    made = plugin(
        """
        import json, os
        info = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
        assert info["spec"]["interactive"] is False
        cluster = info["spec"]["cluster"]
        print(json.dumps({"apiVersion": info["apiVersion"], "kind": "ExecCredential",
            "status": {"token": cluster["server"] + cluster["config"]["audience"]}}))
        """,
        provideClusterInfo=True,
    )
    assert await token(made) == "https://example.invalidx"


async def test_chatty_plugin(plugin):
    """A plugin that fills its error stream first does not hang."""
    made = plugin("import sys; sys.stderr.write('x' * 1_000_000)\n" + GOOD)
    assert await token(made) == "token-1"


async def test_hanging_plugin(plugin):
    """A plugin that hangs is stopped."""
    made = plugin(
        "import pathlib, time, os\npathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(600)",
        timeout=1,
    )
    with pytest.raises(ConfigError, match="did not answer within 1 s"):
        await made.credential()
    if pathlib.Path("pid").exists():  # noqa: ASYNC240 - a test
        assert not pathlib.Path("/proc", pathlib.Path("pid").read_text()).exists()  # noqa: ASYNC240


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("raise SystemExit('no session: log in first')", "ended with 1: no session: log in first"),
        ("print('hello')", "printed no ExecCredential"),
        ('print(\'{"apiVersion":"other/v1","kind":"x","status":{}}\')', "speaks other/v1"),
        (
            'print(\'{"apiVersion":"client.authentication.k8s.io/v1","kind":"x","status":{}}\')',
            "neither a token",
        ),
        (
            'print(\'{"apiVersion":"client.authentication.k8s.io/v1","kind":"x","status":{"token":"a","clientKeyData":"K"}}\')',
            "certificate without key",
        ),
    ],
    ids=["exit", "text", "version", "empty", "half"],
)
async def test_failures(plugin, program, message):
    """Each failure says what the plugin did wrong."""
    with pytest.raises(ConfigError, match=message):
        await plugin(program).credential()


async def test_failure_keeps_a_valid_answer(plugin, clock):
    """Within the last minute a failing plugin costs nothing; after expiry it does."""
    made = plugin(env=_expiring(clock, minutes=2))
    await made.credential()
    pathlib.Path("plugin.py").write_text("raise SystemExit(3)")  # noqa: ASYNC240
    clock.advance(90)
    assert await token(made) == "token-1"
    clock.advance(40)
    with pytest.raises(ConfigError):
        await made.credential()


async def test_missing_command(tmp_path, clock):
    """A command that is not installed names itself and the hint."""
    spec = ExecSpec.parse(
        {"command": "no-such-plugin", "apiVersion": VERSION, "installHint": "see example.invalid"},
        {},
        tmp_path,
    )
    with pytest.raises(ConfigError, match=r"no-such-plugin cannot be started.*see example"):
        await ExecPlugin(spec, clock).credential()


def test_relative_command(tmp_path):
    """A command with a slash is relative to the kubeconfig, a bare name is looked up."""
    assert ExecSpec.parse({"command": "./x", "apiVersion": VERSION}, {}, tmp_path).command == str(
        tmp_path / "x"
    )
    assert ExecSpec.parse({"command": "x", "apiVersion": VERSION}, {}, tmp_path).command == "x"


@pytest.mark.parametrize(
    "section",
    [{}, {"command": "x"}, {"command": "x", "apiVersion": VERSION, "interactiveMode": "Always"}],
    ids=["empty", "no-version", "terminal"],
)
def test_unusable_sections(section, tmp_path):
    """A section that cannot work is refused when it is read."""
    with pytest.raises(ConfigError):
        ExecSpec.parse(section, {}, tmp_path)


async def test_cancelled(plugin):
    """A caller that goes away takes the plugin's process with it."""
    made = plugin("import time; time.sleep(600)")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            await made.credential()
    assert made.runs == 0
