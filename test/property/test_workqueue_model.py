"""The workqueue's core against a plain model, in any order of calls and at any pace of time."""

import itertools
import math

import hypothesis
from hypothesis import stateful, strategies as st

from flinkop.runtime.queue_core import EVENT_IS_FREE, QueueCore
from flinkop.runtime.ratelimiter import RetryLimiter, RetrySchedule, TokenBucket, Window
from flinkop.runtime.result import Request

KEYS = [Request("ns", name) for name in "abc"]
LANES = st.sampled_from(["user", "resync"])
# Whole seconds, so that sums are exact and many moments coincide.
SECONDS = st.integers(0, 20).map(float)
SHARE = 2


def better(*lanes):
    return "user" if "user" in lanes else "resync"


class WorkQueueModel(stateful.RuleBasedStateMachine):
    """What is promised, written down as simply as possible: a set of facts for each key."""

    def __init__(self):
        super().__init__()
        self.now = 0.0
        self.backoff = RetrySchedule(initial=4, factor=2, max_attempts=4)
        self.core = QueueCore(
            RetryLimiter(self.backoff, window=Window(limit=0)), user_share=SHARE, jitter=0
        )
        self.ready = {"user": [], "resync": []}
        self.processing = set()
        self.rerun = {}
        self.delayed = {}
        self.attempts = {}
        self.users_while_resync_waits = 0
        self.shut = False

    def lane_of(self, key):
        return next((lane for lane in self.ready if key in self.ready[lane]), None)

    def offer(self, key, lane):
        delay = self.delayed.pop(key, None)
        if delay is not None:
            lane = better(lane, delay[1])
        if key in self.processing:
            self.rerun[key] = better(lane, self.rerun.get(key))
        elif self.lane_of(key) is None:
            self.ready[lane].append(key)
        elif self.lane_of(key) == "resync" and lane == "user":
            self.ready["resync"].remove(key)
            self.ready["user"].append(key)

    def delay(self, key, due, lane, *, retry):
        if self.shut or key in self.rerun or self.lane_of(key) is not None:
            return
        old = self.delayed.get(key)
        if old is None:
            self.delayed[key] = (due, lane, retry)
        elif old[0] <= due:
            self.delayed[key] = (old[0], better(lane, old[1]), old[2])
        else:
            self.delayed[key] = (due, better(lane, old[1]), retry)

    @stateful.rule(key=st.sampled_from(KEYS), lane=LANES)
    def add(self, key, lane):
        self.core.add(key, self.now, lane)
        if self.shut:
            return
        if self.attempts.get(key, 0) >= self.backoff.max_attempts:
            self.attempts[key] = 0
        delay = self.delayed.get(key)
        if delay is not None and delay[2] and delay[0] - self.now > EVENT_IS_FREE:
            self.attempts[key] = max(0, self.attempts.get(key, 0) - 1)
        self.offer(key, lane)

    @stateful.rule(key=st.sampled_from(KEYS), seconds=SECONDS, lane=LANES)
    def add_after(self, key, seconds, lane):
        self.core.add_after(key, seconds, self.now, lane)
        if self.shut:
            return
        if seconds > 0:
            self.delay(key, self.now + seconds, lane, retry=False)
        else:
            self.offer(key, lane)

    @stateful.rule(key=st.sampled_from(KEYS))
    def add_rate_limited(self, key):
        wait = self.core.add_rate_limited(key, self.now)
        if key in self.rerun or self.lane_of(key) is not None:
            assert wait == 0
            return
        attempt = self.attempts.get(key, 0) + 1
        if attempt > 4:
            assert wait is None
            return
        self.attempts[key] = attempt
        assert wait is not None
        assert wait == [4, 4, 8, 16][attempt - 1]
        self.delay(key, self.now + wait, "resync", retry=True)

    @stateful.rule(key=st.sampled_from(KEYS))
    def forget(self, key):
        self.core.forget(key)
        self.attempts.pop(key, None)

    @stateful.rule()
    def get(self):
        got = self.core.get_nowait(self.now)
        if got is None:
            assert not self.ready["user"]
            assert not self.ready["resync"]
            return
        lane = self.lane_of(got)
        assert lane is not None, "came out without being ready"
        assert self.ready[lane][0] == got, "overtaken within its lane"
        other_waits = bool(self.ready["resync"])
        if lane == "resync":
            if self.ready["user"]:
                assert self.users_while_resync_waits == SHARE, "a resync passed a user too early"
            self.users_while_resync_waits = 0
        elif other_waits:
            self.users_while_resync_waits += 1
            assert self.users_while_resync_waits <= SHARE, "the resync lane starves"
        else:
            self.users_while_resync_waits = 0
        self.ready[lane].remove(got)
        assert got not in self.processing, "with two workers"
        self.processing.add(got)

    @stateful.precondition(lambda self: self.processing)
    @stateful.rule(data=st.data())
    def done(self, data):
        key = data.draw(st.sampled_from(sorted(self.processing, key=str)))
        self.core.done(key, self.now)
        self.processing.remove(key)
        lane = self.rerun.pop(key, None)
        if lane is not None:
            self.offer(key, lane)

    @stateful.rule(seconds=st.sampled_from([0.0, 1.0, 2.0, 3.0, 30.0]))
    def time_passes(self, seconds):
        """Advance as a timer does: from one due moment to the next."""
        end = self.now + seconds
        while (due := self.core.next_due()) is not None and due <= end:
            self.now = max(self.now, due)
            self.core.release_due(self.now)
            # Of equal moments the one that was asked for first comes first; the model does not keep
            # that order, so it takes the core's.
            keys = [key for key, delay in self.delayed.items() if delay[0] <= self.now]
            for key in keys:
                self.offer(key, self.delayed[key][1])
            for lane, waiting in self.core._ready.items():
                real, model = list(waiting), self.ready[lane]
                assert sorted(real, key=str) == sorted(model, key=str)
                model[:] = real
        self.now = end

    @stateful.precondition(lambda self: not self.shut)
    @stateful.rule(really=st.sampled_from([False] * 49 + [True]))
    def shut_down(self, really):
        if really:
            self.core.shut_down()
            self.shut = True
            self.ready = {"user": [], "resync": []}
            self.rerun.clear()
            self.delayed.clear()

    @stateful.invariant()
    def agrees(self):
        statistics = self.core.statistics(self.now)
        assert statistics.ready_user == len(self.ready["user"])
        assert statistics.ready_resync == len(self.ready["resync"])
        assert statistics.delayed == len(self.delayed)
        assert self.core.processing == self.processing
        assert self.core.next_due() == min((d[0] for d in self.delayed.values()), default=None)
        for key in KEYS:
            assert self.core.num_requeues(key) == self.attempts.get(key, 0)
        assert self.core.is_idle == (not self.processing)

    @stateful.invariant()
    def in_one_place_only(self):
        ready = self.ready["user"] + self.ready["resync"]
        assert len(ready) == len(set(ready))
        assert not set(ready) & self.processing
        assert not set(ready) & set(self.delayed)
        assert set(self.rerun) <= self.processing


TestWorkQueueModel = WorkQueueModel.TestCase
TestWorkQueueModel.settings = hypothesis.settings(
    hypothesis.settings.default, stateful_step_count=80, deadline=None
)


@hypothesis.given(
    st.lists(st.tuples(st.floats(0, 10), st.booleans()), max_size=80), st.integers(1, 5)
)
def test_the_window_bounds_failing_runs(story, limit):
    """With events after each failed run, no more than `limit` runs start in any period (L-8)."""
    key = KEYS[0]
    core = QueueCore(RetryLimiter(window=Window(limit=limit, period=15)), jitter=0)
    now, failures = 0.0, []
    for gap, _ in story:
        now += gap
        core.add(key, now)
        if core.get_nowait(now) is None:
            continue
        core.add(key, now)
        core.add_rate_limited(key, now)
        core.done(key, now)
        failures.append(now)
    for first, later in zip(failures, failures[limit:], strict=False):
        assert later - first >= 15 - 1e-9


@hypothesis.given(
    st.lists(st.floats(0, 5), min_size=1, max_size=200),
    st.floats(0.1, 100),
    st.integers(1, 20),
)
def test_the_bucket_keeps_its_rate(gaps, rate, burst):
    """In no span of time do more tokens become valid than the burst and the rate allow."""
    bucket = TokenBucket(rate, burst)
    now, valid = 0.0, []
    for gap in gaps:
        now += gap
        valid.append(now + bucket.reserve(now))
    assert all(b >= a - 1e-6 for a, b in itertools.pairwise(valid))
    for i in range(len(valid) - burst):
        assert valid[i + burst] - valid[i] >= 1 / rate - 1e-6


@hypothesis.given(
    st.floats(0, 1e6), st.floats(1, 100), st.none() | st.floats(0, 1e6), st.integers(1, 10**9)
)
def test_backoff_is_total_and_monotonic(initial, factor, cap, attempt):
    """Every attempt has a finite wait that never shrinks with the attempts and obeys the cap."""
    backoff = RetrySchedule(initial, factor, cap, max_attempts=-1)
    wait, following = backoff.delay(attempt), backoff.delay(attempt + 1)
    assert wait is not None
    assert following is not None
    assert math.isfinite(wait)
    assert 0 <= wait <= following
    assert cap is None or following <= cap
