"""From hosts to sockets."""

import asyncio
import ipaddress
import socket

import pytest
from attrs import evolve

from flinkop.artifacts import dialing, errors
from flinkop.artifacts.dialing import Dialer
from flinkop.artifacts.terms import Terms

TERMS = Terms(allowed_networks=(ipaddress.ip_network("127.0.0.1/32"),))


async def test_the_systems_look_up():
    """It gives addresses as text, each once."""
    found = await dialing.look_up("localhost", 80)
    assert set(found) <= {"127.0.0.1", "::1"}
    assert len(found) == len(set(found)) > 0


async def test_a_look_up_that_hangs():
    """A name service that does not answer is given up."""

    async def look_up(_host, _port):
        await asyncio.Event().wait()

    dialer = Dialer(look_up, evolve(TERMS, connect_timeout=0.01))
    with pytest.raises(errors.Unreachable, match=r"look-up took longer than 0\.01 s"):
        await dialer.check("jars.example", 80, "x")


async def test_names_that_are_none():
    """A host that no name service can be asked for is told as unknown."""
    dialer = Dialer(dialing.look_up, TERMS)
    with pytest.raises(errors.Unreachable, match="cannot be resolved"):
        await dialer.check("a" * 64 + ".example", 80, "x")


async def test_only_what_was_checked():
    """No socket is made to an address, and none is given for a name, that nobody has judged."""

    async def look_up(_host, _port):
        return ["127.0.0.1"]

    dialer = Dialer(look_up, TERMS)
    assert await dialer.resolve("jars.example", 80) == []
    await dialer.check("jars.example", 80, "x")
    (found,) = await dialer.resolve("jars.example", 80)
    assert (found["host"], found["port"], found["family"]) == ("127.0.0.1", 80, socket.AF_INET)
    info = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
    dialer._socket((*info, ("127.0.0.1", 80))).close()
    for address in ("127.0.0.2", "10.0.0.1", "jars.example"):
        with pytest.raises(OSError, match="was not checked"):
            dialer._socket((*info, (address, 80)))
