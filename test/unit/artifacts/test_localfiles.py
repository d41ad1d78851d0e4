"""Jars of the operator's own file system."""

import os

import pytest
from fakes.jars import jar

from flinkop.artifacts import errors
from flinkop.artifacts.store import open_store
from flinkop.artifacts.terms import Bounds, Terms

TERMS = Terms(allowed_schemes=frozenset({"file", "local"}))


@pytest.fixture
async def store(tmp_path):
    """A store beside the files of the test."""
    async with open_store(Bounds(directory=tmp_path / "store")) as opened:
        yield opened


@pytest.mark.parametrize("scheme", ["file", "local"])
async def test_a_file(store, tmp_path, scheme):
    """It is copied, so that a later change does not reach who uses it."""
    (tmp_path / "a b.jar").write_bytes(jar())
    async with store.fetched(f"{scheme}://{tmp_path}/a%20b.jar", TERMS) as artifact:
        assert artifact.name == "a_b.jar"
        assert artifact.path.read_bytes() == jar()
        assert artifact.size == len(jar())
        (tmp_path / "a b.jar").write_bytes(jar(seed=2))
        assert artifact.path.read_bytes() == jar()
    async with store.fetched(f"{scheme}://{tmp_path}/a%20b.jar", TERMS) as artifact:
        assert artifact.path.read_bytes() == jar(seed=2)


async def test_an_unchanged_file(store, tmp_path):
    """It is copied once."""
    (tmp_path / "a.jar").write_bytes(jar())
    paths = set()
    for _ in range(3):
        async with store.fetched(f"file://{tmp_path}/a.jar", TERMS) as artifact:
            paths.add(artifact.path)
    assert len(paths) == 1


async def test_a_missing_file(store, tmp_path):
    """It may be there later."""
    for path in ("none.jar", "a.jar/none.jar"):
        (tmp_path / "a.jar").write_bytes(jar())
        with pytest.raises(errors.Missing, match="no such file") as caught:
            async with store.fetched(f"file://{tmp_path}/{path}", TERMS):
                pass
        assert caught.value.retryable


async def test_what_is_no_plain_file(store, tmp_path):
    """Directories, pipes, devices, the kernel's files and links to them are not read, and nothing hangs."""
    os.mkfifo(tmp_path / "pipe.jar")
    (tmp_path / "link.jar").symlink_to("/proc/self/environ")
    for path in (tmp_path, tmp_path / "pipe.jar", tmp_path / "link.jar", "/dev/zero"):
        with pytest.raises(errors.NotAJar, match="not a plain file"):
            async with store.fetched(f"file://{path}", TERMS):
                pass


async def test_files_that_are_no_jars(store, tmp_path):
    """A secret of the operator does not leave it, and is not quoted."""
    (tmp_path / "token").write_text("eyJhbGciOi.secret")
    with pytest.raises(errors.NotAJar, match="begins with the bytes") as caught:
        async with store.fetched(f"file://{tmp_path}/token", TERMS):
            pass
    assert "secret" not in str(caught.value)


async def test_other_jobs_jars(store, tmp_path):
    """What the store keeps cannot be fetched from it by path, nor by a link."""
    (tmp_path / "a.jar").write_bytes(jar())
    async with store.fetched(f"file://{tmp_path}/a.jar", TERMS) as artifact:
        (tmp_path / "link.jar").symlink_to(artifact.path)
        for path in (artifact.path, tmp_path / "link.jar"):
            with pytest.raises(errors.NotAJar, match="not a plain file"):
                async with store.fetched(f"file://{path}", TERMS):
                    pass


async def test_a_users_jar_beside_the_stores(store, tmp_path):
    """The base directory may hold jars of a volume."""
    (tmp_path / "store" / "mine.jar").write_bytes(jar())
    async with store.fetched(f"file://{tmp_path}/store/mine.jar", TERMS) as artifact:
        assert artifact.size == len(jar())


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
async def test_a_file_that_may_not_be_read(store, tmp_path):
    """The user of the operator is told to be let in."""
    path = tmp_path / "a.jar"
    path.write_bytes(jar())
    path.chmod(0)
    with pytest.raises(errors.Denied, match="may not read"):
        async with store.fetched(f"file://{path}", TERMS):
            pass
