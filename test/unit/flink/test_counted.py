"""Requests to Flink are counted by endpoint and outcome, whatever comes of them."""

import pytest
from fakes.scripted_transport import ScriptedTransport, ok

from flinkop.clock import SystemClock
from flinkop.flink import counted, errors
from flinkop.flink.address import Cluster

JOB = "0123456789abcdef0123456789abcdef"


class Counts:
    def __init__(self):
        self.seen = []

    def request(self, method, endpoint, code, seconds):
        assert seconds >= 0
        self.seen.append((method, endpoint, code))


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/v1/jobs/overview", "/jobs/overview"),
        (f"/v1/jobs/{JOB}?mode=cancel", "/jobs/:id"),
        (f"/v1/jobs/{JOB}/savepoints/{JOB}", "/jobs/:id/savepoints/:id"),
        (f"/v1/savepoint-disposal/{JOB}", "/savepoint-disposal/:id"),
        ("/v1/jars/2b5ce0d7-ab8b_my%20job.jar/run", "/jars/:id/run"),
        ("/v1/jars/upload", "/jars/upload"),
    ],
)
def test_endpoint(path, told):
    """No id and no query makes a series of its own."""
    assert counted.endpoint(path) == told


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (ok({}), "200"),
        (ok({}, 503), "503"),
        (errors.Unreachable("no", sent=False), "unreachable"),
        (errors.Timeout("late"), "timeout"),
        (errors.BadAnswer("too large"), "unusable"),
    ],
)
async def test_outcome(step, code):
    """An answer is counted by its status, an error by its kind, and both go on to the caller."""
    counts = Counts()
    factory = counted.counted(lambda _: ScriptedTransport([step]), counts, SystemClock())
    request = factory(Cluster("ns", "a")).request("GET", "/v1/config", timeout=1)
    if isinstance(step, Exception):
        with pytest.raises(type(step)):
            await request
    else:
        assert await request is step
    assert counts.seen == [("GET", "/config", code)]
