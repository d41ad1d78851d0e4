"""Credentials from every kind of source, and how they follow changes."""

import asyncio
import base64
import ssl
import sys

import pytest
import trustme
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from fakes.clock import FakeClock
from fakes.scriptedapi import StaticSource

from flinkop.kube import config, errors, meta, tls
from flinkop.kube.client import KubeClient
from flinkop.kube.errors import ConfigError
from flinkop.kube.meta import ObjectKey

SERVER = "https://10.0.0.1:6443"


@pytest.fixture(scope="session")
def ca():
    return trustme.CA()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def kubeconfig(tmp_path):
    """Write a kubeconfig of one context; returns its path."""

    def write(user=None, cluster=None, name="config", context=None, **top):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        body = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "contexts": [
                {"name": name, "context": {"cluster": name, "user": name} | (context or {})}
            ],
            "clusters": [{"name": name, "cluster": {"server": SERVER} | (cluster or {})}],
            "users": [{"name": name, "user": user or {}}],
        } | top
        path.write_text(yaml.safe_dump(body))
        return str(path)

    return write


def pem(ca):
    return ca.cert_pem.bytes().decode()


def b64(text):
    return base64.b64encode(text.encode()).decode()


async def load(path, **options):
    return await config.load(path, environ={}, **options)


async def header(credentials):
    return (await credentials.authorization())[0]


async def test_token(kubeconfig):
    """An inline token, the server and the context's namespace are read."""
    found = await load(
        kubeconfig({"token": "abc"}, {"server": SERVER + "/"}, context={"namespace": "jobs"})
    )
    assert await header(found) == "Bearer abc"
    assert found.endpoint == tls.Endpoint(SERVER, None, None, "jobs")


async def test_basic(kubeconfig):
    """User and password become basic authentication."""
    found = await load(kubeconfig({"username": "u", "password": "p"}))
    assert await header(found) == "Basic " + b64("u:p")


async def test_cluster_options(kubeconfig):
    """Proxy, server name and skipped verification come from the cluster section."""
    found = await load(
        kubeconfig(
            None,
            {
                "proxy-url": "http://proxy:3128",
                "tls-server-name": "kube",
                "insecure-skip-tls-verify": True,
            },
        )
    )
    assert (found.endpoint.proxy, found.endpoint.server_name) == ("http://proxy:3128", "kube")
    assert found.ssl_context
    assert found.ssl_context.verify_mode is ssl.CERT_NONE
    assert await header(found) == ""


async def test_plain_http(kubeconfig):
    """A proxy on the loopback needs no TLS."""
    found = await load(kubeconfig(None, {"server": "http://127.0.0.1:8001"}))
    assert found.ssl_context is None


async def test_merged_and_chosen(kubeconfig):
    """Several files are merged, and a context may be named."""
    first = kubeconfig({"token": "one"}, name="first")
    second = kubeconfig({"token": "two"}, name="second")
    assert await header(await load(f"{first}:{second}", context="second")) == "Bearer two"
    assert await header(await load(f"{first}:{second}")) in {"Bearer one", "Bearer two"}


@pytest.mark.parametrize(
    ("user", "cluster", "message"),
    [
        ({}, {"server": ""}, "no server"),
        ({}, {"server": "ftp://x"}, "no server"),
        ({}, {"proxy-url": "socks5://x"}, "proxy-url socks5"),
        ({"as": "somebody"}, {}, "impersonation"),
        ({"auth-provider": {"name": "gcp"}}, {}, "gke-gcloud-auth-plugin"),
        ({"auth-provider": {"name": "azure"}}, {}, "auth-provider"),
        ({"auth-provider": {"name": "oidc", "config": {}}}, {}, "kubelogin"),
        ({"tokenFile": "/no/such/file"}, {}, "No such file"),
        ({"client-certificate": "/no/such/file"}, {}, "No such file"),
        ({"exec": {"command": "x"}}, {}, "apiVersion"),
        ({}, {"certificate-authority-data": b64("nonsense")}, "CA certificate"),
        ({}, {"certificate-authority-data": "%%%"}, "cannot be used"),
    ],
    ids=[
        "no-server", "scheme", "socks", "impersonation", "gcp", "azure", "oidc", "token-file", "cert-file",
        "exec", "ca", "base64",
    ],
)  # fmt: skip
async def test_unusable(kubeconfig, user, cluster, message):
    """What cannot work is refused at start, with the reason."""
    with pytest.raises(ConfigError, match=message):
        await load(kubeconfig(user, cluster))


@pytest.mark.parametrize("text", ["", "[]", "a: [", "current-context: x", "clusters: 3"])
async def test_malformed(tmp_path, text):
    """A file that is no kubeconfig is a ConfigError that names it."""
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(ConfigError, match="config"):
        await load(str(path))


async def test_no_such_context(kubeconfig):
    """A context that is not there is named."""
    with pytest.raises(ConfigError, match="nope"):
        await load(kubeconfig(), context="nope")


async def test_nothing_found(tmp_path, monkeypatch):
    """Without any credentials the message says what to set."""
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ConfigError, match="set KUBECONFIG or pass --kubeconfig"):
        await config.load(environ={})


async def test_where_it_looks(kubeconfig, tmp_path, monkeypatch):
    """A given path wins over KUBECONFIG, that over the home folder."""
    given = kubeconfig({"token": "given"}, name="given")
    environ = {"KUBECONFIG": kubeconfig({"token": "environ"}, name="environ")}
    kubeconfig({"token": "home"}, name=".kube/config", **{"current-context": ".kube/config"})
    monkeypatch.setenv("HOME", str(tmp_path))
    assert await header(await config.load(given, environ=environ)) == "Bearer given"
    assert await header(await config.load(environ=environ)) == "Bearer environ"
    assert await header(await config.load(environ={})) == "Bearer home"


async def test_token_file_rotates(kubeconfig, tmp_path, clock):
    """A token file, relative to the kubeconfig, is read again each minute, and wins over a token."""
    (tmp_path / "token").write_text("one\n")
    found = await load(kubeconfig({"tokenFile": "token", "token": "inline"}), clock=clock)
    assert await header(found) == "Bearer one"
    (tmp_path / "token").write_text("two\n")
    assert await header(found) == "Bearer one"
    clock.advance(config.REREAD)
    assert await header(found) == "Bearer two"
    (tmp_path / "token").unlink()
    clock.advance(config.REREAD)
    assert await header(found) == "Bearer two"
    assert "No such file" in found.last_error


async def test_refused_rereads_the_kubeconfig(kubeconfig):
    """After a 401 the kubeconfig itself is read again: tools rewrite tokens in it."""
    path = kubeconfig({"token": "one"})
    found = await load(path)
    _, look = await found.authorization()
    assert not await found.refresh(look)
    kubeconfig({"token": "two"})
    assert await found.refresh((await found.authorization())[1])
    assert await header(found) == "Bearer two"


async def test_refresh_is_shared():
    """Many calls refused at once lead to one new look."""
    one, two = (
        tls.Snapshot(tls.Endpoint("http://x"), tls.TlsMaterial(), f"Bearer {n}") for n in "12"
    )
    source = StaticSource(one, [two])
    found = await config.Credentials.open(source)
    _, look = await found.authorization()
    assert [await found.refresh(look) for _ in range(3)] == [True, True, True]
    assert source.reads == 2


class SlowSource:
    """A source whose second look takes until it is let go."""

    def __init__(self):
        self.reads = 0
        self.asked = asyncio.Event()
        self.go = asyncio.Event()

    async def read(self, *, refused):
        self.reads += 1
        if self.reads > 1:
            self.asked.set()
            await self.go.wait()
        return tls.Snapshot(tls.Endpoint("http://x"), tls.TlsMaterial(), f"Bearer {self.reads}")


async def test_a_slow_look_holds_one_caller_only(clock):
    """While one caller waits for new credentials, the others use those at hand."""
    source = SlowSource()
    found = await config.Credentials.open(source, clock)
    clock.advance(config.REREAD)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(found.authorization())
        await source.asked.wait()
        assert await header(found) == "Bearer 1"
        source.go.set()
    assert first.result()[0] == "Bearer 2"


async def test_exec_plugin(kubeconfig, tmp_path, clock):
    """An exec plugin's token is used, and asked for again after a 401 only."""
    (tmp_path / "plugin.py").write_text(
        "import json, pathlib\n"
        "p = pathlib.Path(__file__).with_name('n'); n = int(p.read_text()) + 1 if p.exists() else 1\n"
        "p.write_text(str(n))\n"
        "print(json.dumps({'apiVersion': 'client.authentication.k8s.io/v1', 'kind': 'ExecCredential',"
        " 'status': {'token': f't{n}'}}))\n"
    )
    section = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": [str(tmp_path / "plugin.py")],
    }
    found = await load(kubeconfig({"exec": section}), clock=clock)
    assert await header(found) == "Bearer t1"
    clock.advance(600)
    value, look = await found.authorization()
    assert value == "Bearer t1"
    assert await found.refresh(look)
    assert await header(found) == "Bearer t2"


async def test_in_cluster(tmp_path, ca, clock):
    """The mounted service account is read, and its token and CA are followed."""
    (tmp_path / "token").write_text("one\n")
    (tmp_path / "ca.crt").write_text(pem(ca))
    (tmp_path / "namespace").write_text("jobs")
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    found = await config.Credentials.open(config.InCluster(environ, tmp_path), clock)
    assert found.endpoint == tls.Endpoint("https://[fd00::1]:443", namespace="jobs")
    assert await header(found) == "Bearer one"
    (tmp_path / "token").write_text("two\n")
    clock.advance(config.REREAD)
    assert await header(found) == "Bearer two"
    assert found.tls_generation == 1
    (tmp_path / "ca.crt").write_text(pem(trustme.CA()))
    clock.advance(config.REREAD)
    await found.authorization()
    assert found.tls_generation == 2


async def test_half_written_rotation(tmp_path, ca, clock):
    """A CA file caught while it is written keeps the last one."""
    (tmp_path / "token").write_text("one")
    (tmp_path / "ca.crt").write_text(pem(ca))
    environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    found = await config.Credentials.open(config.InCluster(environ, tmp_path), clock)
    (tmp_path / "ca.crt").write_text(pem(ca)[:100])
    clock.advance(config.REREAD)
    assert await header(found) == "Bearer one"
    assert found.tls_generation == 1
    assert found.last_error


async def test_not_in_a_cluster(tmp_path):
    """In-cluster without its files says what is missing."""
    environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    with pytest.raises(ConfigError, match="token file does not exist"):
        await config.Credentials.open(config.InCluster(environ, tmp_path))
    with pytest.raises(ConfigError):
        await config.load(environ=environ)


def test_nothing_secret_is_shown():
    """Tokens and keys are left out of what is printed."""
    snapshot = tls.Snapshot(tls.Endpoint("http://x"), tls.TlsMaterial(key="KEY"), "Bearer TOKEN")
    assert "TOKEN" not in repr(snapshot)
    assert "KEY" not in repr(snapshot)


class TlsApi:
    """A server that demands a client certificate."""

    def __init__(self, ca):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("127.0.0.1", "kube.internal").configure_cert(self.context)
        ca.configure_trust(self.context)
        self.context.verify_mode = ssl.CERT_REQUIRED
        app = web.Application()
        app.router.add_get("/{path:.*}", self.answer)
        self.server = TestServer(app)
        self.peers = []

    async def __aenter__(self):
        await self.server.start_server(ssl=self.context)
        return self

    async def __aexit__(self, *_):
        await self.server.close()

    @property
    def url(self):
        return f"https://127.0.0.1:{self.server.port}"

    async def answer(self, request):
        subject = request.get_extra_info("peercert")["subject"]
        self.peers.append(dict(pair[0] for pair in subject)["commonName"])
        return web.json_response({"metadata": {"name": "a"}})


def client_cert(ca, name):
    cert = ca.issue_cert(f"{name}@example.invalid", common_name=name)
    chain = "".join(blob.bytes().decode() for blob in cert.cert_chain_pems)
    return chain, cert.private_key_pem.bytes().decode()


async def test_client_certificate(kubeconfig, ca):
    """A client certificate from a kubeconfig opens the door, verified by the cluster's CA."""
    chain, key = client_cert(ca, "alice")
    async with TlsApi(ca) as api:
        path = kubeconfig(
            {"client-certificate-data": b64(chain), "client-key-data": b64(key)},
            {
                "server": api.url,
                "certificate-authority-data": b64(pem(ca)),
                "tls-server-name": "kube.internal",
            },
        )
        async with KubeClient(await load(path)) as client:
            await client.get(meta.NAMESPACES, ObjectKey("", "a"))
    assert api.peers == ["alice"]


async def test_untrusted_server(kubeconfig, ca):
    """A server that another CA signed is not spoken to."""
    async with TlsApi(ca) as api:
        path = kubeconfig(
            {}, {"server": api.url, "certificate-authority-data": b64(pem(trustme.CA()))}
        )
        async with KubeClient(await load(path)) as client:
            with pytest.raises(errors.Unreachable, match="certificate"):
                await client.get(meta.NAMESPACES, ObjectKey("", "a"))


async def test_certificate_rotates(kubeconfig, ca, tmp_path, clock):
    """A client certificate that is replaced on disk is used for the next connection."""

    def write(name):
        chain, key = client_cert(ca, name)
        (tmp_path / "tls.crt").write_text(chain)
        (tmp_path / "tls.key").write_text(key)

    write("alice")
    async with TlsApi(ca) as api:
        path = kubeconfig(
            {"client-certificate": "tls.crt", "client-key": "tls.key"},
            {"server": api.url, "certificate-authority-data": b64(pem(ca))},
        )
        async with KubeClient(await load(path, clock=clock)) as client:
            await client.get(meta.NAMESPACES, ObjectKey("", "a"))
            write("bob")
            await client.get(meta.NAMESPACES, ObjectKey("", "a"))
            clock.advance(config.REREAD)
            await client.get(meta.NAMESPACES, ObjectKey("", "a"))
            await client.get(meta.NAMESPACES, ObjectKey("", "a"))
    assert api.peers[:2] == ["alice", "alice"]
    assert api.peers[3] == "bob"


async def test_certificate_without_its_key(kubeconfig, ca):
    """A certificate whose key is another's is refused at start."""
    chain, _ = client_cert(ca, "alice")
    _, key = client_cert(ca, "bob")
    with pytest.raises(ConfigError, match="client certificate cannot be used"):
        await load(kubeconfig({"client-certificate-data": b64(chain), "client-key-data": b64(key)}))
