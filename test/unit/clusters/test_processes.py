"""Processes are told apart by more than their pid."""

import subprocess
import sys

import pytest
from fakes.controlplane import processes

_WAIT = "import sys; print('up', flush=True); sys.stdin.read()"
_STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + _WAIT


@pytest.fixture
def child(tmp_path, request):
    """A process that works in the test's directory and waits for the end of its input."""
    script = getattr(request, "param", _WAIT)
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as started:
        assert started.stdout
        started.stdout.readline()
        yield started
        started.kill()


def test_finds_what_works_in_a_directory(child, tmp_path):
    """A process belongs to the directory it works in, and to no other of a similar name."""
    assert [process.pid for process in processes.belonging_to(tmp_path)] == [child.pid]
    assert not processes.belonging_to(tmp_path.parent / tmp_path.name[:-1])


@pytest.mark.parametrize("child", [_WAIT, _STUBBORN], indirect=True)
def test_end(child):
    """A process ends when asked, and is killed when it does not listen; a zombie counts as gone."""
    process = processes.find(child.pid)
    assert process
    processes.end([process], grace=0.2)
    assert not process.alive()


def test_another_process_of_the_same_pid_is_left_alone(child):
    """A pid that was given to another process since is not signalled."""
    earlier = processes.Process(child.pid, "1")
    assert not earlier.alive()
    processes.end([earlier])
    assert child.poll() is None


def test_own_process_is_not_its_own_leftover():
    """A collector never finds itself."""
    assert processes.current().alive()
    assert processes.find(0) is None
