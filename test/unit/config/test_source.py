"""Loading and following configuration files."""

import asyncio
import os

import pytest
import structlog

from flinkop.config import errors, source
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.layers import ConfigLayers


def environ(path, overlay=None):
    """Return an environment that names directories."""
    found = {"FLINK_CONF_DIR": str(path)}
    if overlay is not None:
        found["CONF_OVERRIDE_DIR"] = str(overlay)
    return found


def test_built_in_defaults():
    """Without a directory the shipped defaults hold, log file and Java options included."""
    loaded, snapshot = source.open_snapshot({"FLINK_CONF_DIR": " "})
    assert loaded.entries["taskmanager.numberOfTaskSlots"] == "1"
    assert snapshot.operator.reconcile_interval.total_seconds() == 15
    assert (
        "appender.rolling.fileName = ${sys:log.file}"
        in loaded.log_files["log4j-console.properties"]
    )
    assert not ConfigLayers(FlinkConf(loaded.entries)).ignored


def test_flat_before_standard(tmp_path):
    """flink-conf.yaml is preferred, config.yaml is read when it is alone."""
    (tmp_path / "config.yaml").write_text("a:\n  b: [x, y]\n")
    (tmp_path / "logback-console.xml").write_text("<x/>")
    loaded = source.load(environ(tmp_path))
    assert loaded.entries == {"a.b": "x;y"}
    assert loaded.log_files == {"logback-console.xml": "<x/>"}
    (tmp_path / "flink-conf.yaml").write_text("c: d\nnonsense\n")
    loaded = source.load(environ(tmp_path))
    assert loaded.entries == {"c": "d"}
    (warning,) = loaded.warnings
    assert warning.startswith(f"{tmp_path}/flink-conf.yaml, line 2 is ignored: no ': '")


def test_overlay(tmp_path):
    """An overlay is laid over the base key by key, also over the built-in defaults."""
    base, over = tmp_path / "base", tmp_path / "over"
    for directory, text in ((base, "a: 1\nb: 1\n"), (over, "b: 2\n")):
        directory.mkdir()
        (directory / "flink-conf.yaml").write_text(text)
    assert source.load(environ(base, over)).entries == {"a": "1", "b": "2"}
    built_in = source.load({"CONF_OVERRIDE_DIR": str(over)}).entries
    assert built_in["b"] == "2"
    assert built_in["parallelism.default"] == "1"


def test_missing(tmp_path):
    """A missing directory or file is an error that says what to do."""
    with pytest.raises(errors.ConfigFileError, match=r"no such directory\. Point FLINK_CONF_DIR"):
        source.load(environ(tmp_path / "nowhere"))
    with pytest.raises(errors.ConfigFileError, match="neither flink-conf"):
        source.load(environ(tmp_path))


def test_broken_files(tmp_path):
    """A broken file ends the start with its name and line."""
    (tmp_path / "config.yaml").write_text("a: 1\nb: [1,\n")
    with pytest.raises(errors.ConfigFileError, match=r"config.yaml, line \d: broken YAML"):
        source.open_snapshot(environ(tmp_path))
    (tmp_path / "config.yaml").write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(errors.ConfigFileError, match="line 2: not UTF-8"):
        source.open_snapshot(environ(tmp_path))
    (tmp_path / "config.yaml").write_text("kubernetes.operator.reconcile.interval: soon\n")
    with pytest.raises(errors.ConfigValueError, match=r"reconcile\.interval"):
        source.open_snapshot(environ(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_file(tmp_path):
    """A file without permission is named."""
    path = tmp_path / "flink-conf.yaml"
    path.write_text("a: b\n")
    path.chmod(0)
    with pytest.raises(errors.ConfigFileError, match="Make it readable"):
        source.load(environ(tmp_path))


def test_reload(tmp_path):
    """Only a change of meaning makes a new snapshot."""
    path = tmp_path / "flink-conf.yaml"
    path.write_text("a: 1\nb: 2\n")
    loaded, _ = source.open_snapshot(environ(tmp_path))
    path.write_text("# comment\nb: 2\na: 1\n")
    assert source.reload(environ(tmp_path), loaded) is None
    path.write_text("a: 3\n")
    changed = source.reload(environ(tmp_path), loaded)
    assert changed is not None
    assert changed[1].default.text("a") == "3"
    (tmp_path / "log4j-console.properties").write_text("x")
    again = source.reload(environ(tmp_path), changed[0])
    assert again is not None
    assert again[1].log_files == {"log4j-console.properties": "x"}


async def test_following(monkeypatch):
    """The loop hands over changes, logs a lasting fault once, and ends when its owner cancels it."""
    first, snapshot = source.open_snapshot({})
    fault = errors.ConfigError("broken")
    outcomes = [fault, fault, None, (first, snapshot), fault]
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    seen = []

    def reload(_environ, loaded):
        assert loaded is first
        if not outcomes:
            loop.call_soon_threadsafe(done.set)
            return None
        outcome = outcomes.pop(0)
        if isinstance(outcome, errors.ConfigError):
            raise outcome
        return outcome

    monkeypatch.setattr(source, "reload", reload)
    with structlog.testing.capture_logs() as logs:
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            follower = group.create_task(source.follow({}, first, 0, seen.append))
            await done.wait()
            follower.cancel()
    assert seen == [snapshot]
    assert [entry["log_level"] for entry in logs] == ["error", "info", "error"]


async def test_a_change_is_in_force_soon(tmp_path):
    """Also one that only a link's target shows, as when the kubelet exchanges a ConfigMap's directory."""
    versions = [tmp_path / "..1", tmp_path / "..2"]
    for number, version in enumerate(versions):
        version.mkdir()
        (version / "flink-conf.yaml").write_text(f"a: {number}\n")
    mounted = tmp_path / "mounted"
    mounted.symlink_to(versions[0])
    loaded, _ = source.open_snapshot(environ(mounted))
    changed: asyncio.Queue[str | None] = asyncio.Queue()
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        follower = group.create_task(
            source.follow(
                environ(mounted),
                loaded,
                3600.0,
                lambda snapshot: changed.put_nowait(snapshot.default.text("a")),
                look=0.01,
            )
        )
        (tmp_path / "next").symlink_to(versions[1])
        (tmp_path / "next").rename(mounted)
        assert await changed.get() == "1"
        (versions[1] / "flink-conf.yaml").write_text(
            "a: broken\nkubernetes.operator.reconcile.interval: x\n"
        )
        (versions[1] / "flink-conf.yaml").write_text("a: 22\n")
        assert await changed.get() == "22"
        follower.cancel()
