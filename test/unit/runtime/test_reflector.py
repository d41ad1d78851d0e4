"""The reflector against a script, in virtual time."""

import asyncio
import contextlib
import random
from typing import Any

import pytest
from fakes import scriptedsource as script
from fakes.scriptedsource import ScriptedSource, Wait, added, bookmark, deleted, modified

from flinkop.kube import errors, meta, objects, stream
from flinkop.runtime.instruments import NoInformerInstruments
from flinkop.runtime.reflector import Reflector, State, Timing, What

pytestmark = pytest.mark.virtual_time


class Sink:
    """Remembers what it was told, as text."""

    def __init__(self):
        self.told = []
        self.lists = []
        self.states = []
        self.reflector: Any = None

    async def replace(self, items, resource_version, *, keep, reset):
        names = [f"{o.metadata.name}@{o.metadata.resource_version}" for o in items]
        self.lists.append((resource_version, names, sorted(k.name for k in keep), reset))
        self.told.append(f"list {resource_version}")

    def upsert(self, obj):
        self.told.append(f"upsert {obj.metadata.name}@{obj.metadata.resource_version}")

    def delete(self, gone):
        self.told.append(f"delete {gone.name}@{gone.resource_version}")

    def undecodable(self, found):
        self.told.append(f"undecodable {found.key.name}@{found.resource_version}")

    def state_changed(self):
        self.states.append(self.reflector.state)


class Instruments(NoInformerInstruments):
    """Remembers why watches ended."""

    def __init__(self):
        self.reasons = []

    def watch_restarted(self, resource, reason):
        self.reasons.append(reason)


class Rig:
    """A reflector on a script."""

    def __init__(self, **timing):
        self.source = ScriptedSource()
        self.sink = Sink()
        self.instruments = Instruments()
        self.reflector = self.sink.reflector = Reflector(
            self.source,
            What(meta.PODS, objects.Partial, label_selector="a=b"),
            self.sink,
            instruments=self.instruments,
            rng=random.Random(1),  # noqa: S311 - jitter
            timing=Timing(**timing),
        )

    async def run(self, seconds):
        """Let it run for some virtual time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.reflector.run()
        assert self.source.open_watches == 0

    def asked(self):
        return [(c.verb, c.resource_version, c.initial) for c in self.source.calls]


@pytest.fixture
def rig():
    return Rig()


GONE = errors.Gone("too old", status=410, reason="Expired")
CUT = stream.StreamError("cut", reason="Cut")
DOWN = errors.Unreachable("refused")


async def test_streamed_list(rig):
    """The list comes through the watch, as one, and the same stream goes on."""
    rig.source.watch_script(
        added("a", 5),
        added("b", 6),
        bookmark(8, end=True),
        modified("a", 9),
        deleted("b", 10),
        bookmark(20),
    )
    await rig.run(1)
    assert rig.sink.lists == [("8", ["a@5", "b@6"], [], False)]
    assert rig.sink.told == ["list 8", "upsert a@9", "delete b@10"]
    assert rig.reflector.resource_version == "20"
    assert rig.reflector.state is State.SYNCED
    first = rig.source.calls[0]
    assert (first.initial, first.resource_version, first.label_selector) == (True, None, "a=b")
    assert 300 <= first.timeout_seconds <= 600


async def test_changes_during_the_list(rig):
    """What changes while the list is streamed is in the list as it is at its end."""
    rig.source.watch_script(
        added("a", 5), added("b", 6), modified("a", 7), deleted("b", 8), bookmark(8, end=True)
    )
    await rig.run(1)
    assert rig.sink.lists == [("8", ["a@7"], [], False)]


@pytest.mark.parametrize(
    "refusal",
    [
        errors.Invalid("sendInitialEvents is forbidden", status=422),
        errors.BadRequest("unknown option", status=400),
    ],
    ids=["422", "400"],
)
async def test_paged_list(rig, refusal):
    """A server that does not stream lists is asked for pages, at once and from then on."""
    rig.source.watch_script(refusal)
    rig.source.list_script([script.manifest("a", 5)], 7)
    rig.source.watch_script(modified("a", 8), GONE)
    rig.source.list_script([script.manifest("a", 9)], 9)
    await rig.run(3)
    assert rig.asked() == [
        ("watch", None, True),
        ("list", None, False),
        ("watch", "7", False),
        ("list", None, False),
        ("watch", "9", False),
    ]
    assert rig.source.calls[2].at == 0


async def test_server_that_ignores_the_option(rig):
    """A server that never marks the list's end is found out by its silence, and asked for pages."""
    rig.source.watch_script(added("a", 5), Wait(1000))
    rig.source.list_script([script.manifest("a", 5)], 7)
    await rig.run(95)
    assert [verb for verb, _, _ in rig.asked()] == ["watch", "list", "watch"]
    assert rig.reflector.synced


async def test_cut_resumes(rig):
    """After a cut it goes on where it was, soon, without a new list."""
    rig.source.watch_script(added("a", 5), bookmark(8, end=True), modified("a", 9), CUT)
    rig.source.watch_script(modified("a", 10))
    await rig.run(1)
    assert rig.asked()[:2] == [("watch", None, True), ("watch", "9", False)]
    assert rig.source.calls[1].at <= 0.2
    assert rig.sink.told == ["list 8", "upsert a@9", "upsert a@10"]
    assert rig.instruments.reasons[0] == "cut"


async def test_cut_during_the_list(rig):
    """A list that was cut is not taken; it is read again."""
    rig.source.watch_script(added("a", 5), CUT)
    rig.source.watch_script(added("a", 5), added("b", 6), bookmark(8, end=True))
    await rig.run(1)
    assert rig.sink.lists == [("8", ["a@5", "b@6"], [], False)]


async def test_bookmarks_move_the_place(rig):
    """A quiet stream resumes at its last bookmark."""
    rig.source.watch_script(bookmark(8, end=True), Wait(60), bookmark(500), CUT)
    await rig.run(62)
    assert rig.asked()[1] == ("watch", "500", False)


async def test_silent_stream_is_replaced(rig):
    """A stream without a byte for 90 s is left, and another one goes on at its place."""
    rig.source.watch_script(bookmark(8, end=True), Wait(1e6))
    await rig.run(100)
    assert rig.instruments.reasons == ["silent"]
    assert rig.asked()[1] == ("watch", "8", False)
    assert 90 <= rig.source.calls[1].at <= 90.2
    assert rig.reflector.state is State.SYNCED


async def test_gone_inside_the_stream(rig):
    """410 inside the stream leads to a new list."""
    rig.source.watch_script(added("a", 5), bookmark(8, end=True), modified("a", 9), GONE)
    rig.source.watch_script(added("b", 20), bookmark(21, end=True))
    await rig.run(1)
    assert rig.sink.lists[1] == ("21", ["b@20"], [], False)
    assert rig.instruments.reasons[0] == "gone"


async def test_gone_as_status(rig):
    """So does 410 as the answer to resuming, and the cache stays synced meanwhile."""
    rig.source.watch_script(bookmark(8, end=True), CUT)
    rig.source.watch_script(GONE)
    rig.source.watch_script(bookmark(21, end=True))
    await rig.run(2)
    assert [v for v, *_ in rig.sink.lists] == ["8", "21"]
    assert rig.sink.states == [State.SYNCED]


async def test_gone_for_ever(rig):
    """A server that says 410 after each list is not asked in a tight loop."""
    for version in range(1, 200):
        rig.source.watch_script(bookmark(version, end=True), GONE)
    await rig.run(120)
    assert len(rig.source.calls) < 40
    assert rig.reflector.state is State.DEGRADED


async def test_back_in_time(rig):
    """A list older than what was seen means a restored backup: its objects are taken as they are."""
    rig.source.watch_script(bookmark(800, end=True), modified("a", 900), GONE)
    rig.source.watch_script(added("a", 50), bookmark(60, end=True))
    await rig.run(1)
    assert rig.sink.lists[1] == ("60", ["a@50"], [], True)


async def test_version_from_the_future(rig):
    """A server that does not know our version yet, or no longer, leads to a new list."""
    too_large = errors.ServerError(
        "Too large resource version",
        status=504,
        details={"causes": [{"reason": "ResourceVersionTooLarge"}]},
    )
    rig.source.watch_script(bookmark(800, end=True), CUT)
    rig.source.watch_script(too_large)
    rig.source.watch_script(bookmark(60, end=True))
    await rig.run(2)
    assert rig.sink.lists[1] == ("60", [], [], True)


async def test_ended_by_the_server(rig):
    """A watch that the server ends in time is followed by the next at once."""
    rig.source.watch_script(bookmark(8, end=True), Wait(50), bookmark(9), Wait(50))
    await rig.run(150)
    assert rig.source.calls[1].at == 100
    assert rig.instruments.reasons == ["ended"]


async def test_ended_at_once(rig):
    """A server that ends every watch at once is not asked in a tight loop."""
    for _ in range(500):
        rig.source.watch_script()
    await rig.run(60)
    assert len(rig.source.calls) < 30


async def test_server_down(rig):
    """While the server is away, attempts back off; then it goes on where it was."""
    rig.source.watch_script(bookmark(8, end=True), CUT)
    for _ in range(8):
        rig.source.watch_script(DOWN)
    rig.source.watch_script(modified("a", 9), Wait(1e6))
    await rig.run(130)
    assert rig.sink.states == [State.SYNCED, State.DEGRADED, State.SYNCED]
    assert rig.asked()[9] == ("watch", "8", False)
    assert rig.reflector.error == ""


async def test_down_from_the_start(rig):
    """Before the first list nothing is synced, whatever the reason."""
    for _ in range(20):
        rig.source.watch_script(DOWN)
    await rig.run(30)
    assert rig.reflector.state is State.DEGRADED
    assert not rig.reflector.synced
    assert not rig.reflector.settled
    assert rig.reflector.error == "refused"


async def test_retry_after(rig):
    """A throttled watch comes back when it was told to, not before."""
    rig.source.watch_script(errors.TooManyRequests("slow down", status=429, retry_after=7))
    rig.source.watch_script(bookmark(8, end=True))
    await rig.run(10)
    assert 7 <= rig.source.calls[1].at <= 7.2


async def test_crd_missing(rig):
    """A type that is not served is waited for, with patience of seconds, and holds nobody up."""
    for _ in range(10):
        rig.source.watch_script(errors.NotFound("404 page not found", status=404))
    rig.source.watch_script(added("a", 5), bookmark(8, end=True))
    await rig.run(0.001)
    assert rig.reflector.state is State.CRD_MISSING
    assert rig.reflector.settled
    assert not rig.reflector.synced
    await rig.run(60)
    assert rig.sink.told == ["list 8"]
    gaps = [b.at - a.at for a, b in zip(rig.source.calls, rig.source.calls[1:11], strict=False)]
    assert max(gaps) <= 5
    assert rig.reflector.synced


async def test_crd_deleted(rig):
    """When the type goes away, what was cached goes too, once a second look has confirmed it."""
    missing = errors.NotFound("404 page not found", status=404)
    rig.source.watch_script(added("a", 5), bookmark(8, end=True), CUT)
    rig.source.watch_script(missing)
    rig.source.watch_script(missing)
    rig.source.watch_script(added("a", 3), bookmark(4, end=True))
    await rig.run(10)
    assert [(v, names, reset) for v, names, _, reset in rig.sink.lists] == [
        ("8", ["a@5"], False),
        (None, [], False),
        ("4", ["a@3"], False),
    ]


async def test_crd_not_found_once(rig):
    """An API server that says 404 once while it starts does not empty the cache."""
    rig.source.watch_script(added("a", 5), bookmark(8, end=True), CUT)
    rig.source.watch_script(errors.NotFound("404 page not found", status=404))
    rig.source.watch_script(added("a", 5), bookmark(9, end=True))
    await rig.run(10)
    assert [v for v, *_ in rig.sink.lists] == ["8", "9"]


async def test_forbidden(rig):
    """A forbidden namespace is tried again with backoff, and holds nobody up."""
    for _ in range(6):
        rig.source.watch_script(errors.Forbidden("no", status=403))
    rig.source.watch_script(bookmark(8, end=True))
    await rig.run(0.001)
    assert rig.reflector.state is State.FORBIDDEN
    assert rig.reflector.settled
    await rig.run(100)
    assert rig.sink.states == [State.FORBIDDEN, State.SYNCED]


async def test_undecodable(rig):
    """An object that cannot be decoded is reported, the stream goes on and moves its place."""
    rig.source.watch_script(
        added("a", 5),
        script.broken("b", 6, stream.ADDED),
        bookmark(8, end=True),
        script.broken("a", 9),
        modified("c", 10),
        script.broken("c", 11),
        script.broken("c", 12, stream.DELETED),
        CUT,
    )
    await rig.run(1)
    assert rig.sink.lists == [("8", ["a@5"], ["b"], False)]
    assert rig.sink.told == [
        "list 8",
        "undecodable b@6",
        "undecodable a@9",
        "upsert c@10",
        "undecodable c@11",
        "undecodable c@12",
    ]
    assert rig.asked()[1] == ("watch", "12", False)


async def test_a_bug_does_not_blind(rig):
    """An unexpected exception is contained: it lists again."""
    rig.source.watch_script(bookmark(8, end=True), ZeroDivisionError("bug"))
    rig.source.watch_script(bookmark(9, end=True))
    await rig.run(2)
    assert [v for v, *_ in rig.sink.lists] == ["8", "9"]


async def test_age(rig):
    """How long the server has been silent can be asked."""
    rig.source.watch_script(bookmark(8, end=True), Wait(40), bookmark(9), Wait(1e6))
    await rig.run(70)
    assert rig.reflector.silent_for(asyncio.get_running_loop().time()) == 30
    assert repr(rig.reflector) == "<Reflector pods in all namespaces: synced, at 9>"
