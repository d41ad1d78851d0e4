"""Informers against a script, in virtual time."""

import asyncio
import contextlib

import pytest
from fakes import scriptedsource as script
from fakes.scriptedsource import ScriptedSource, Wait, added, bookmark, deleted, modified

from flinkop.kube import errors, meta, objects
from flinkop.kube.meta import Meta, ObjectKey
from flinkop.runtime.informer import Informer
from flinkop.runtime.instruments import NoInformerInstruments
from flinkop.runtime.reflector import State
from flinkop.runtime.scope import FixedScope, SelectedScope

pytestmark = pytest.mark.virtual_time

FOREVER = Wait(1e9)


class Instruments(NoInformerInstruments):
    """Remembers the last of each."""

    def __init__(self):
        self.count = -1
        self.handler_failures = 0
        self.bad = 0
        self.states = []

    def objects(self, resource, count):
        self.count = count

    def handler_failed(self, resource):
        self.handler_failures += 1

    def undecodable(self, resource):
        self.bad += 1

    def state(self, resource, namespace, state):
        self.states.append((namespace, state))


@contextlib.asynccontextmanager
async def running(*runnables):
    """Run informers and scopes while the block lasts."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(runnable.run()) for runnable in runnables]
        yield
        for task in tasks:
            task.cancel()


def make(source, **options):
    return Informer(source, meta.PODS, objects.Partial, **options)


def recorder(into):
    def on_event(old, new):
        into.append((old and old.metadata.resource_version, new and new.metadata.resource_version))

    return on_event


def noted(name, version, namespace="ns", uid=""):
    return objects.Partial(
        Meta(
            name=name, namespace=namespace, uid=uid or f"uid-{name}", resource_version=str(version)
        )
    )


async def test_sync_and_follow():
    """Handlers hear of the list and of each change after it; the lister has the last state."""
    source, heard = ScriptedSource(), []
    source.watch_script(
        added("a", 5),
        added("b", 6),
        bookmark(8, end=True),
        modified("a", 9),
        deleted("b", 10),
        FOREVER,
    )
    instruments = Instruments()
    informer = make(source, instruments=instruments, indexers={"name": lambda o: [o.metadata.name]})
    informer.add_handler(recorder(heard))
    assert not informer.has_synced()
    async with running(informer):
        await informer.wait_synced()
        await asyncio.sleep(1)
        assert informer.has_synced()
        assert informer.has_synced("any")
        assert heard == [(None, "5"), (None, "6"), ("5", "9"), ("6", None)]
        assert len(informer.lister) == 1
        found = informer.lister.get(ObjectKey("ns", "a"))
        assert found is not None
        assert informer.lister.by_index("name", "a") == informer.lister.list("ns") == (found,)
        assert repr(informer) == "<Informer pods: 1 objects, 1 parts>"
    assert instruments.count == 1


async def test_handler_added_late():
    """A handler that comes late hears of what is there."""
    source, heard = ScriptedSource(), []
    source.watch_script(added("a", 5), bookmark(8, end=True), FOREVER)
    informer = make(source)
    async with running(informer):
        await informer.wait_synced()
        informer.add_handler(recorder(heard))
        assert heard == [(None, "5")]


async def test_handler_fails():
    """An exception in one handler reaches neither the stream nor the other handler."""
    source, heard, instruments = ScriptedSource(), [], Instruments()

    def bad(old, new):
        raise ZeroDivisionError

    source.watch_script(added("a", 5), bookmark(8, end=True), modified("a", 9), FOREVER)
    informer = make(source, instruments=instruments)
    informer.add_handler(bad)
    informer.add_handler(recorder(heard))
    async with running(informer):
        await asyncio.sleep(1)
        assert informer.statistics().handler_failures == 2
    assert heard == [(None, "5"), ("5", "9")]
    assert instruments.handler_failures == 2


async def test_relist_gives_tombstones():
    """What vanished while the stream was lost is told as a deletion; a new uid as two changes."""
    source, heard = ScriptedSource(), []
    source.watch_script(
        added("a", 5), added("b", 6), bookmark(8, end=True), errors.Gone("x", status=410)
    )
    source.watch_script(added("b", 15, uid="other"), bookmark(20, end=True), FOREVER)
    informer = make(source)
    informer.add_handler(recorder(heard))
    async with running(informer):
        await asyncio.sleep(1)
    assert heard[2:] == [("6", None), (None, "15"), ("5", None)]


async def test_note_write():
    """What a write returned is seen at once, told once, and not undone by older events."""
    source, heard = ScriptedSource(), []
    source.watch_script(
        added("a", 5),
        bookmark(8, end=True),
        Wait(1),
        modified("a", 9),
        modified("a", 10),
        Wait(1),
        deleted("a", 12),
        FOREVER,
    )
    informer = make(source)
    informer.add_handler(recorder(heard))
    informer.note_write(noted("a", 4))
    async with running(informer):
        await informer.wait_synced()
        informer.note_write(noted("a", 10))
        assert heard == [(None, "5"), ("5", "10")]
        await asyncio.sleep(1.5)
        assert len(heard) == 2
        await asyncio.sleep(1)
        informer.note_write(noted("a", 11))
        assert informer.lister.get(ObjectKey("ns", "a")) is None
        informer.note_write(noted("a", 15, uid="new"))
    assert heard[2:] == [("10", None), (None, "15")]


async def test_note_write_elsewhere():
    """A write outside the covered namespaces is not cached."""
    source = ScriptedSource()
    source.watch_script(bookmark(8, end=True), FOREVER, namespace="n1")
    informer = make(source, scope=FixedScope(["n1"]))
    async with running(informer):
        await informer.wait_synced()
        informer.note_write(noted("a", 10, "n2"))
        informer.note_write(noted("a", 11, "n1"))
        assert [o.metadata.namespace for o in informer.lister.list()] == ["n1"]


async def test_missing_crd_holds_nobody_up():
    """Waiting for sync ends although the type is not served; having synced is another question."""
    source = ScriptedSource()
    for _ in range(3):
        source.watch_script(errors.NotFound("404 page not found", status=404))
    source.watch_script(bookmark(8, end=True), FOREVER)
    informer = make(source)
    async with running(informer):
        async with asyncio.timeout(0.001):
            await informer.wait_synced()
        assert not informer.has_synced()
        assert informer.statistics().parts[0].state is State.CRD_MISSING
        await asyncio.sleep(30)
        assert informer.has_synced()


async def test_forbidden_namespace_degrades_alone():
    """One forbidden namespace is known as such; the others are synced and go on."""
    source = ScriptedSource()
    source.watch_script(
        added("a", 5, namespace="n1"), bookmark(8, end=True), FOREVER, namespace="n1"
    )
    for _ in range(100):
        source.watch_script(errors.Forbidden("no", status=403), namespace="n2")
    informer = make(source, scope=FixedScope(["n1", "n2"]))
    async with running(informer):
        await informer.wait_synced()
        assert informer.has_synced("n1")
        assert not informer.has_synced("n2")
        assert not informer.has_synced("n3")
        assert not informer.has_synced()
        parts = {part.namespace: part for part in informer.statistics().parts}
        assert parts["n1"].state is State.SYNCED
        assert parts["n1"].resource_version == "8"
        assert (parts["n2"].state, parts["n2"].error) == (State.FORBIDDEN, "no")


async def test_unreachable_from_the_start_holds_up():
    """A server that is not there is waited for: nothing is known."""
    source = ScriptedSource()
    for _ in range(200):
        source.watch_script(errors.Unreachable("refused"))
    informer = make(source)
    async with running(informer):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await informer.wait_synced()


async def test_undecodable():
    """An object that cannot be decoded keeps its last good version, is reported once, and heals."""
    source, instruments = ScriptedSource(), Instruments()
    source.watch_script(
        added("a", 5),
        bookmark(8, end=True),
        script.broken("a", 9),
        Wait(1),
        errors.Gone("x", status=410),
    )
    source.watch_script(
        script.broken("a", 9),
        script.broken("z", 9),
        bookmark(10, end=True),
        Wait(1),
        modified("a", 12),
        FOREVER,
    )
    informer = make(source, instruments=instruments)
    async with running(informer):
        await asyncio.sleep(1.5)
        assert [str(found.key) for found in informer.undecodable()] == ["ns/a", "ns/z"]
        assert instruments.bad == 2
        kept = informer.lister.get(ObjectKey("ns", "a"))
        assert kept
        assert kept.metadata.resource_version == "5"
        await asyncio.sleep(1)
        assert [found.key.name for found in informer.undecodable()] == ["z"]
        assert informer.statistics().undecodable == 1


async def test_undecodable_goes_away():
    """Reports of objects that are no longer there are dropped."""
    source = ScriptedSource()
    source.watch_script(
        script.broken("a", 5),
        script.broken("b", 6),
        bookmark(8, end=True),
        deleted("a", 9),
        Wait(1),
        errors.Gone("x", status=410),
    )
    source.watch_script(bookmark(20, end=True), FOREVER)
    informer = make(source)
    async with running(informer):
        await asyncio.sleep(0.5)
        assert [found.key.name for found in informer.undecodable()] == ["b"]
        await asyncio.sleep(1)
        assert informer.undecodable() == ()


async def test_large_list_lets_others_run():
    """While a large list is taken, other tasks get turns."""
    source = ScriptedSource()
    source.watch_script(
        *(added(f"o{n}", n + 1) for n in range(2000)), bookmark(9999, end=True), FOREVER
    )
    informer = make(source)
    turns = 0

    def slow(old, new):
        # Virtual time stands still while code runs: let it pass as work does.
        loop = asyncio.get_running_loop()
        loop._virtual += 0.001  # type: ignore[attr-defined]

    informer.add_handler(slow)
    async with running(informer), asyncio.TaskGroup() as group:

        async def other():
            nonlocal turns
            while not informer.has_synced():
                turns += 1
                await asyncio.sleep(0)

        group.create_task(other())
    assert turns > 300


async def test_selected_namespaces():
    """Namespaces join and leave the cache as their labels say, with additions and deletions."""
    source, heard = ScriptedSource(), []
    for name, version in (("n1", 5), ("n2", 6)):
        source.watch_script(
            added("a", version, namespace=name), bookmark(8, end=True), FOREVER, namespace=name
        )
    source.watch_script(
        added("n1", 3, namespace=""),
        bookmark(4, end=True),
        Wait(1),
        added("n2", 5, namespace=""),
        Wait(1),
        deleted("n1", 6, namespace=""),
        FOREVER,
    )
    scope = SelectedScope(source, "flink=yes")
    informer = make(source, scope=scope)
    informer.add_handler(recorder(heard))
    async with running(scope, informer):
        await informer.wait_synced()
        assert informer.has_synced("n1")
        assert heard == [(None, "5")]
        await asyncio.sleep(1.5)
        assert heard == [(None, "5"), (None, "6")]
        assert informer.has_synced("n2")
        await asyncio.sleep(1)
        assert heard[2:] == [("5", None)]
        assert not informer.has_synced("n1")
        assert informer.has_synced()
        assert source.open_watches == 2
    assert source.calls[0].label_selector == "flink=yes"


async def test_selection_forbidden():
    """When namespaces may not be watched, nothing is synced, and nobody waits for ever."""
    source = ScriptedSource()
    for _ in range(50):
        source.watch_script(errors.Forbidden("no", status=403))
    scope = SelectedScope(source, "flink=yes")
    informer = make(source, scope=scope)
    async with running(scope, informer):
        await informer.wait_synced()
        assert scope.state is State.FORBIDDEN
        assert informer.statistics().parts == ()
        assert not informer.has_synced()


async def test_cluster_scoped_type_ignores_the_scope():
    """A type without namespaces has one watch whatever the scope is."""
    source = ScriptedSource()
    source.watch_script(bookmark(8, end=True), FOREVER)
    informer = Informer(source, meta.CRDS, objects.Partial, scope=FixedScope(["n1"]))
    async with running(informer):
        await informer.wait_synced()
    assert [call.namespace for call in source.calls] == [None]
