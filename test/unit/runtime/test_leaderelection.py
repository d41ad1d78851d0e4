"""Leader election, in virtual time over a Lease in memory."""

import asyncio
import contextlib
import random

import pytest
from fakes.leases import LeaseServer, LoopClock, Network

from flinkop.kube.errors import FencedError, Forbidden
from flinkop.runtime.leaderelection import (
    ElectionTimes,
    LeadershipLostError,
    LeaseElector,
    LeaseRecord,
    identity_from,
)

pytestmark = pytest.mark.virtual_time


class Candidate:
    def __init__(self, server, identity, **kwargs):
        self.network = Network(server)
        self.clock = kwargs.pop("clock", LoopClock())
        self.told = []
        if kwargs.pop("watches", False):
            kwargs["changes"] = self.network.changes
        self.elector = LeaseElector(
            self.network,
            identity,
            self.clock,
            on_started_leading=lambda: self.told.append("started"),
            on_stopped_leading=lambda: self.told.append("stopped"),
            rng=random.Random(1),  # noqa: S311 - a test's jitter
            **kwargs,
        )
        self.lost = None
        self.ended_at = float("inf")

    async def run(self):
        try:
            await self.elector.run()
        except LeadershipLostError as error:
            self.lost = error
        finally:
            self.ended_at = now()


@pytest.fixture
def server():
    return LeaseServer()


@contextlib.asynccontextmanager
async def running(*candidates):
    """Run candidates, the first a little ahead; cancel what still runs at the end."""
    async with asyncio.TaskGroup() as tasks:
        started = []
        for candidate in candidates:
            started.append(tasks.create_task(candidate.run()))
            await asyncio.sleep(0.01)
        yield started
        for task in started:
            task.cancel()


def now():
    return asyncio.get_running_loop().time()


async def test_the_first_candidate_leads_at_once(server):
    """Without a Lease one is created, in the reference's form."""
    a = Candidate(server, "a")
    async with running(a):
        assert a.elector.is_leader
        a.elector.check()
        assert now() < 1
        assert server.record.holder == "a"
        assert (server.record.duration, server.record.transitions) == (15, 0)
        assert server.record.acquire_time is not None
        await asyncio.sleep(60)
        assert a.elector.is_leader
        assert len(server.history) == pytest.approx(31, abs=1)
        assert server.history[0].acquire_time == server.history[-1].acquire_time
    assert a.told == ["started", "stopped"]


async def test_a_standby_waits_while_the_leader_renews(server):
    """Who is second stands by; its check fails and names the leader."""
    a, b = Candidate(server, "a"), Candidate(server, "b")
    async with running(a, b):
        await asyncio.sleep(300)
        assert a.elector.is_leader
        assert b.told == []
        with pytest.raises(FencedError, match="a does"):
            b.elector.check()


async def test_release_hands_over_within_one_look(server):
    """A graceful stop empties the holder; the standby takes over at its next look and counts the transition."""
    a, b = Candidate(server, "a"), Candidate(server, "b")
    async with running(a, b) as tasks:
        await asyncio.sleep(10)
        tasks[0].cancel()
        await asyncio.sleep(0.01)
        assert (server.record.holder, server.record.duration) == ("", 1)
        before = now()
        await b.elector.wait_leading()
        assert now() - before < 2 * 2.2
        assert (server.record.holder, server.record.transitions) == ("b", 1)


async def test_a_standby_that_watches_takes_over_at_once(server):
    """It hears of the release and does not wait for its next look."""
    a, b = Candidate(server, "a"), Candidate(server, "b", watches=True)
    async with running(a, b) as tasks:
        await asyncio.sleep(10)
        tasks[0].cancel()
        await asyncio.sleep(0.2)
        assert b.elector.is_leader


async def test_a_standby_that_watches_leads_when_the_lease_runs_out(server):
    """Of a leader that was killed, the last renewal counts, not when the standby happened to look."""
    a, b = Candidate(server, "a", release_on_stop=False), Candidate(server, "b", watches=True)
    async with running(a, b) as tasks:
        await asyncio.sleep(10)
        renewed = server.record.renew_time
        tasks[0].cancel()
        await b.elector.wait_leading()
        assert (b.clock.now() - renewed).total_seconds() < 15.1


@pytest.mark.parametrize("error", [ConnectionError(), Forbidden("no")])
async def test_without_its_watch_a_standby_looks(server, error):
    """A watch that fails again and again, or is forbidden, delays the handover and no more."""

    async def refused():
        if error:
            raise error
        yield

    a, b = Candidate(server, "a"), Candidate(server, "b", changes=refused)
    async with running(a, b) as tasks:
        await asyncio.sleep(10)
        tasks[0].cancel()
        before = now()
        await b.elector.wait_leading()
        assert now() - before < 2 * 2.2


async def test_without_release_the_lease_runs_out(server):
    """`release_on_stop=False` leaves the Lease as it is."""
    a, b = Candidate(server, "a", release_on_stop=False), Candidate(server, "b")
    async with running(a, b) as tasks:
        await asyncio.sleep(10)
        tasks[0].cancel()
        before = now()
        await b.elector.wait_leading()
        assert 10 < now() - before < 15 + 2 * 2.2


async def test_a_killed_leader_is_followed_after_one_lease_duration(server):
    """When the leader falls silent the standby waits for the duration in the Lease and not longer than a look more."""
    a, b = Candidate(server, "a"), Candidate(server, "b")
    async with running(a, b):
        await asyncio.sleep(10)
        a.network.lose = "request"
        before = now()
        await b.elector.wait_leading()
        assert 13 - 2 <= now() - before <= 15 + 2 * 2.2
        assert not a.elector.is_leader


@pytest.mark.parametrize("lose", ["request", "answer"])
async def test_the_fence_closes_before_anybody_takes_over(server, lose):
    """A leader that cannot renew stops writing renew_deadline after its last renewal, and ends."""
    a = Candidate(server, "a")
    async with running(a):
        await asyncio.sleep(10.5)
        a.network.lose = lose
        last = now() - 0.5
        while a.elector.is_leader:  # noqa: ASYNC110 - looks at the clock
            await asyncio.sleep(0.1)
        assert now() - last <= 10.2
        with pytest.raises(FencedError):
            a.elector.check()
        await asyncio.sleep(0.2)
        assert "not renewed for 10 s" in str(a.lost)
    assert a.told == ["started", "stopped"]


async def test_a_hung_renewal_does_not_prolong_leadership(server):
    """Each call has a deadline; a renewal is counted from when it was sent."""
    a = Candidate(server, "a")
    async with running(a):
        await asyncio.sleep(1)
        a.network.before = 4.0
        await asyncio.sleep(6.5)  # one renewal sent at about 2 s, answered at 6 s
        assert a.elector.remaining() < 10 - 4


async def test_short_troubles_are_survived(server):
    """A few failed renewals cost nothing when one succeeds in time."""
    a, b = Candidate(server, "a"), Candidate(server, "b")
    async with running(a, b):
        for _ in range(10):
            a.network.lose = "answer"
            await asyncio.sleep(6)
            a.network.lose = ""
            await asyncio.sleep(4)
        assert a.elector.is_leader
        assert a.lost is None


@pytest.mark.parametrize("step", [-7200, 7200])
async def test_clock_steps_change_nothing(server, step):
    """Wall time is written and never used: neither side's clock step moves the leadership."""
    a, b = Candidate(server, "a"), Candidate(server, "b")
    async with running(a, b):
        await asyncio.sleep(5)
        a.clock.step(step)
        await asyncio.sleep(20)
        b.clock.step(-step)
        await asyncio.sleep(20)
        assert a.elector.is_leader
        assert b.told == []


async def test_a_paused_process_does_not_write_when_it_wakes(server):
    """After a pause the fence is closed before the election has run a single step."""
    a = Candidate(server, "a")
    async with running(a):
        await asyncio.sleep(5)
        a.clock.pause(10)
        with pytest.raises(FencedError):
            a.elector.check()
        await asyncio.sleep(3)
        assert "this process was paused" in str(a.lost)


async def test_somebody_elses_write_is_survived(server):
    """A label set on the Lease makes one renewal conflict; the next attempt follows at once."""
    a = Candidate(server, "a")
    async with running(a):
        for _ in range(20):
            server.touch()
            await asyncio.sleep(2)
        assert a.elector.is_leader


async def test_a_taken_lease_is_seen_at_once(server):
    """A leader that finds another holder ends without waiting for a deadline."""
    a = Candidate(server, "a")
    async with running(a):
        await asyncio.sleep(5)
        server.replace(LeaseRecord("z", 15, None, None, 9, server.record.version))
        await asyncio.sleep(2.1)
        assert "z changed it" in str(a.lost)
        assert server.record.holder == "z"


async def test_a_deleted_lease_is_made_again_by_its_holder(server):
    """Deletion does not change the leader: standbys wait, the holder creates it again."""
    a, b = Candidate(server, "a"), Candidate(server, "b")
    async with running(a, b):
        for _ in range(5):
            await asyncio.sleep(10)
            server.delete()
        await asyncio.sleep(5)
        assert a.elector.is_leader
        assert b.told == []
        assert server.record.holder == "a"


async def test_a_deleted_lease_of_a_dead_holder_is_taken_in_the_end(server):
    """Standbys do not wait for ever for a Lease that is gone."""
    a, b = Candidate(server, "a"), Candidate(server, "b")
    async with running(a, b):
        await asyncio.sleep(10)
        a.network.lose = "request"
        server.delete()
        await b.elector.wait_leading()
        assert 10 + 15 + 15 < now() < 10 + 15 + 15 + 3 * 2 * 2.2


async def test_a_lease_deleted_twice_gives_no_second_leader(server):
    """A standby that saw no Lease twice cannot know that its holder renewed in between."""
    a, b = Candidate(server, "a"), Candidate(server, "b")
    async with running(a, b):
        await asyncio.sleep(5)
        server.delete()
        await asyncio.sleep(2.5)
        b.network.lose = "request"
        await asyncio.sleep(15)
        a.network.lose = "request"
        server.delete()
        b.network.lose = ""
        while not b.elector.is_leader:  # noqa: ASYNC110 - looks at every moment
            await asyncio.sleep(0.1)
        assert not a.elector.is_leader
        assert a.lost is not None


async def test_a_former_life_is_waited_for(server):
    """A process finds its own name in the Lease without having written it: it might be a twin's."""
    first = Candidate(server, "pod-0", release_on_stop=False)
    async with running(first):
        await asyncio.sleep(1)
    again = Candidate(server, "pod-0", clock=LoopClock(offset=0.5))
    async with running(again):
        await again.elector.wait_leading()
        assert 13 < now() < 21
        assert server.record.transitions == 0


async def test_twins_never_lead_together(server):
    """Two processes of the same name do not mistake each other's Lease for their own."""
    a, b = Candidate(server, "twin"), Candidate(server, "twin", clock=LoopClock(offset=0.5))
    async with running(a, b):
        for _ in range(100):
            assert [a.elector.is_leader, b.elector.is_leader] == [True, False]
            await asyncio.sleep(1)


async def test_the_duration_in_the_lease_counts(server):
    """A candidate waits as long as the holder asked for, whatever its own settings."""
    server.create(LeaseRecord("java", 60, None, None))
    b = Candidate(server, "b")
    async with running(b):
        await b.elector.wait_leading()
        assert 60 <= now() < 65
        assert (server.record.duration, server.record.transitions) == (15, 1)


async def test_a_lease_without_duration_counts_as_ours(server):
    """A malformed Lease is given this process's own duration."""
    server.create(LeaseRecord("odd", 0, None, None))
    b = Candidate(server, "b")
    async with running(b):
        await b.elector.wait_leading()
        assert 15 <= now() < 20


async def test_a_stop_while_taking_the_lease_releases_it(server):
    """A candidate cancelled after its write arrived gives the lease back."""
    a = Candidate(server, "a")
    a.network.after = 1.0
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(a.run())
        await asyncio.sleep(1.5)
        assert server.record.holder == "a"
        a.network.after = 0.0
        task.cancel()
    assert server.record.holder == ""
    assert a.told == []


async def test_a_stop_of_a_standby_writes_nothing(server):
    """Who does not hold the lease has nothing to give back."""
    a, b = Candidate(server, "a"), Candidate(server, "b")
    async with running(a, b) as tasks:
        await asyncio.sleep(10)
        tasks[1].cancel()
        await asyncio.sleep(1)
        assert server.record.holder == "a"
        assert a.elector.is_leader


async def test_a_stop_does_not_hang_on_a_dead_server(server):
    """Releasing has its deadline."""
    a = Candidate(server, "a")
    async with running(a):
        await asyncio.sleep(1)
        a.network.lose = "request"
    assert a.ended_at < 1 + 4 * 5 + 1


def test_impossible_times_are_refused():
    """The durations must leave room for each other; the message tells the defaults."""
    with pytest.raises(ValueError, match="retry-period < renew-deadline < lease-duration"):
        ElectionTimes(lease_duration=10, renew_deadline=10)
    with pytest.raises(ValueError, match="call_timeout"):
        ElectionTimes(call_timeout=11)


def test_identity_is_the_pod_or_random():
    """HOSTNAME when set, else a UUID; never empty."""
    assert identity_from({"HOSTNAME": "pod-1"}) == "pod-1"
    assert len(identity_from({"HOSTNAME": " "})) == 36
    with pytest.raises(ValueError, match="non-empty"):
        LeaseElector(Network(LeaseServer()), "", LoopClock())
