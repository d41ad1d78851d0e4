"""Real signals to a real process that runs a manager."""

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, sys
from flinkop.runtime.manager import Manager, Runnable

async def main():
    async def work():
        print("working", flush=True)
        await stopping.wait()
        print("draining", flush=True)
        await asyncio.sleep(float(sys.argv[1]))
        print("drained", flush=True)

    async def stop():
        stopping.set()

    stopping = asyncio.Event()
    manager = Manager(termination_timeout=20)
    manager.add("controllers", Runnable("work", work, stop=stop))
    return await manager.run()

sys.exit(asyncio.run(main()))
"""


@pytest.fixture
def start():
    """Start the program with the seconds it takes to drain; kill it afterwards if need be."""
    started = []

    def run(seconds):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(seconds)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def until(process, word):
    """Read lines until one has `word`."""
    for line in process.stdout:
        if word in line:
            return
    pytest.fail(f"the process ended without saying {word!r}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_exits_with_0(start, number):
    """The first signal lets the work end."""
    process = start(0.1)
    until(process, "working")
    process.send_signal(number)
    assert "drained" in process.stdout.read()
    assert process.wait() == 0


def test_a_second_signal_exits_at_once(start):
    """Who cannot wait sends it again; the code tells the signal."""
    process = start(60)
    until(process, "working")
    process.send_signal(signal.SIGTERM)
    until(process, "draining")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 128 + signal.SIGTERM
