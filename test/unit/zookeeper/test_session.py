"""Sessions end in time and take little, whoever is on the other side."""

import struct
import threading
import time

import pytest
from attrs import evolve
from fakes.oddserver import OddServer

from flinkop.zookeeper.ensemble import Ensemble
from flinkop.zookeeper.errors import Unavailable, ZooKeeperError
from flinkop.zookeeper.session import Limits, Session

QUICK = Limits(attempt=0.2, connect=0.3, total=0.6, most_bytes=100_000)
CONNECTED = struct.pack(">iiiqi16s?", 37, 0, 2_000_000_000, 1, 16, bytes(16), False)
"""The answer to a client that wants a session: it may be silent for three weeks."""


def silent(connection):
    """Never say anything."""
    connection.recv(1)
    while connection.recv(4096):
        pass


def garbage(connection):
    """Say something else, as any other server would."""
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def welcoming_then(talk):
    """Grant a session first."""

    def serve(connection):
        connection.recv(4096)
        connection.sendall(CONNECTED)
        talk(connection)

    return serve


def endless(connection):
    """Announce an answer of two gigabytes, and begin to send it."""
    connection.recv(4096)
    connection.sendall(struct.pack(">i", 2_000_000_000))
    while True:
        connection.sendall(bytes(65536))


def negative(connection):
    """Announce an answer of less than nothing."""
    connection.recv(4096)
    connection.sendall(struct.pack(">i", -5) + b"x")
    silent(connection)


def closing(connection):
    """Hang up."""
    connection.close()


def ask(address, limits=QUICK):
    """Have a session; returns the seconds it took to fail."""
    started = time.monotonic()
    with pytest.raises(Unavailable) as caught, Session(Ensemble((address,)), limits) as session:
        session.children("/flink")
    assert str(caught.value) == f"ZooKeeper at {address} does not answer"
    return time.monotonic() - started


@pytest.fixture(autouse=True)
def no_threads_left():
    """Every thread that a session started has ended with it."""
    before = set(threading.enumerate())
    yield
    left = set(threading.enumerate()) - before
    for one in left:
        one.join(2)
    assert not [one for one in left if one.is_alive()]


@pytest.mark.parametrize("talk", [silent, garbage, closing])
def test_a_server_that_is_no_zookeeper(talk):
    """It makes no difference to what is told, or when."""
    with OddServer(talk) as server:
        assert 0.2 < ask(server.address) < 2


def test_nobody_there():
    """Nor does this."""
    assert 0.2 < ask("127.0.0.1:1") < 2


def test_a_name_that_nobody_knows():
    """Nor this."""
    assert ask("nowhere.invalid:2181") < 5


def test_a_server_that_never_stops():
    """It is left as soon as it has sent more than it may, long before the time is over."""
    long = evolve(QUICK, total=30.0)
    with OddServer(welcoming_then(endless)) as server:
        assert ask(server.address, long) < 5


@pytest.mark.parametrize("talk", [silent, negative, garbage, closing])
def test_a_server_that_stops_making_sense(talk):
    """The session ends within its time, although the server granted it for weeks."""
    with OddServer(welcoming_then(talk)) as server:
        assert ask(server.address) < 3


def test_an_ensemble_without_a_name():
    """Said at once."""
    with pytest.raises(ZooKeeperError, match="names no ZooKeeper servers"):
        Session(Ensemble((":2181",)), QUICK)
    with pytest.raises(ZooKeeperError, match="names no ZooKeeper servers"):
        Session(Ensemble(("host:port",)), QUICK)
