"""A real ZooKeeper server for tests: one Java process, its jars from Maven Central, kept outside the checkout."""

import hashlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from fakes.programs import ROOT, Program, ProgramError, free_port, pause
from kazoo.client import KazooClient

from hack.clusters import locks, paths

POM = ROOT / "hack" / "tools" / "zookeeper" / "pom.xml"
JARS: Mapping[str, str] = {
    "metrics-core-4.1.12.1.jar": "cec34936faa625039f4e46123eccaa10a9eb9d9a40c6075830cd81330e259cf9",
    "slf4j-api-2.0.13.jar": "e7c2a48e8515ba1f49fa637d57b4e2f590b3f5bd97407ac699c3aa5efb1204a9",
    "snappy-java-1.1.10.5.jar": "0f3f1857ed33116583f480b4df5c0218836c47bfbc9c6221c0d73f356decf37b",
    "zookeeper-3.9.5.jar": "936d025db1a85f085edea25048c3f5b3de5fc29329c371a10925e3b78b0b38a0",
    "zookeeper-jute-3.9.5.jar": "abcbc7f9d6c493daa118da6fa3061a201e2c521217526e8535adfb56b629e52a",
}
"""What the server needs of what Maven fetches, with the SHA-256 of each."""


def jars() -> Path:
    """The directory of the jars; fetched and verified first where need be, once per change of the pins."""
    pins = hashlib.sha256(f"{POM.read_text()}{JARS}".encode()).hexdigest()[:12]
    directory = paths.cache_root() / "zookeeper" / pins
    with locks.exclusive(directory.with_suffix(".lock")):
        if not directory.exists():
            fetch(directory)
    return directory


def fetch(directory: Path) -> None:
    """Have Maven fetch them into a repository of their own, which is thrown away."""
    part = directory.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    kept, repository = part / "jars", part / "repository"
    kept.mkdir(parents=True)
    command = ["mvn", "-q", "-B", "-f", str(POM), f"-Dmaven.repo.local={repository}", "validate"]
    subprocess.run(command, check=True, timeout=120)
    for name, digest in JARS.items():
        [found] = repository.rglob(name)
        if hashlib.sha256(found.read_bytes()).hexdigest() != digest:
            raise ProgramError(f"{name} is not what it was when its version was chosen")
        found.rename(kept / name)
    kept.rename(directory)
    shutil.rmtree(part)


class ZooKeeper:
    """A running server.

    Attributes:
        address: `host:port`.
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._folder = folder
        self.start()

    def start(self) -> None:
        """Start it, with the nodes that it had when it was stopped."""
        folder = self._folder
        settings = folder / "zoo.cfg"
        settings.write_text(
            f"dataDir={folder / 'data'}\nclientPort={self.port}\nclientPortAddress=127.0.0.1\n"
            "tickTime=500\nmaxClientCnxns=0\nadmin.enableServer=false\n"
            "4lw.commands.whitelist=srvr\nforceSync=no\n"
        )
        java = ["java", "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        main = "org.apache.zookeeper.server.ZooKeeperServerMain"
        command = [*java, "-Dzookeeper.forceSync=no", "-cp", f"{jars()}/*", main, str(settings)]
        self._program = Program("ZooKeeper", command, folder / "zookeeper.log")
        self._wait_serving(30)

    def _wait_serving(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not serves(self.port):
            self._program.check()
            if time.monotonic() > deadline:
                raise ProgramError(f"ZooKeeper did not answer. It said:\n{self._program.tail()}")
            pause(0.05)

    def stop(self) -> None:
        """End it."""
        self._program.stop(5)


def serves(port: int) -> bool:
    """Whether the server on this port takes requests."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(b"srvr")
            return b"Mode: standalone" in connection.recv(4096)
    except OSError:
        return False


@pytest.fixture(scope="session")
def zookeeper(tmp_path_factory) -> Iterator[ZooKeeper]:
    """A server for the whole run; each test has nodes of its own."""
    missing = [name for name in ("java", "mvn") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"a real ZooKeeper server needs {' and '.join(missing)} on PATH")
    server = ZooKeeper(tmp_path_factory.mktemp("zookeeper"))
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def keeper(zookeeper) -> Iterator[KazooClient]:
    """Somebody else's session with it, who makes nodes and looks at them."""
    client = KazooClient(zookeeper.address)
    client.start()
    try:
        yield client
    finally:
        client.stop()
        client.close()


def make(client: KazooClient, *paths: str) -> None:
    """Make nodes, with all that is above them."""
    for path in paths:
        client.ensure_path(path)


def tree(client: KazooClient, path: str) -> list[str]:
    """All nodes below `path`, as paths relative to it; empty also when there is no such node."""
    if client.exists(path) is None:
        return []
    found = []
    for name in sorted(client.get_children(path)):
        found += [name, *(f"{name}/{below}" for below in tree(client, f"{path}/{name}"))]
    return found
