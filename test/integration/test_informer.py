"""Informers on a real API server, through every fault that a watch can meet."""

import asyncio
import contextlib

import pytest
from fakes import testcrd
from fakes.faultrules import Answer, CutLine, Match, Silence, gone, gone_event

from flinkop.kube import config, errors, meta, objects
from flinkop.kube.client import KubeClient
from flinkop.kube.meta import ObjectKey
from flinkop.runtime.informer import Informer
from flinkop.runtime.instruments import NoInformerInstruments
from flinkop.runtime.reflector import State, Timing
from flinkop.runtime.scope import FixedScope, SelectedScope

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

WATCH = Match(resource="configmaps", watch=True)


class Reasons(NoInformerInstruments):
    """Remembers why watches ended."""

    def __init__(self):
        self.reasons = []

    def watch_restarted(self, resource, reason):
        self.reasons.append(reason)


@contextlib.asynccontextmanager
async def running(*runnables):
    """Run informers and scopes while the block lasts."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(runnable.run()) for runnable in runnables]
        yield
        for task in tasks:
            task.cancel()


class Mirror:
    """What a handler believes, checked at each event."""

    def __init__(self, informer):
        self.known = {}
        self.events = 0
        self._changed = asyncio.Event()
        informer.add_handler(self.on_event)

    def on_event(self, old, new):
        key = (new or old).metadata.key
        assert self.known.get(key) is old
        if new is None:
            del self.known[key]
        else:
            assert old is None or old.metadata.uid == new.metadata.uid
            self.known[key] = new
        self.events += 1
        self._changed.set()

    async def until(self, condition, seconds=30):
        """Wait until `condition(names)` holds."""
        async with asyncio.timeout(seconds):
            while not condition({key.name for key in self.known} - {"kube-root-ca.crt"}):
                self._changed.clear()
                await self._changed.wait()


async def until(condition, seconds=30):
    """Wait for something that nobody announces."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - a state, not an event
            await asyncio.sleep(0.02)


def configmaps(client, namespace, **options):
    return Informer(
        client, meta.CONFIGMAPS, objects.ConfigMapView, scope=FixedScope([namespace]), **options
    )


async def make(client, namespace, name, **labels):
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"namespace": namespace, "name": name, "labels": labels},
        "data": {"k": "v"},
    }
    await client.create(meta.CONFIGMAPS, namespace, body)


async def drop(client, namespace, name):
    await client.delete(meta.CONFIGMAPS, ObjectKey(namespace, name))


async def test_follows(client, namespace):
    """The list is streamed, changes follow, and the lister agrees with the API server."""
    await make(client, namespace, "before")
    informer = configmaps(
        client, namespace, indexers={"app": lambda o: [o.metadata.labels.get("app", "")]}
    )
    mirror = Mirror(informer)
    async with running(informer):
        await informer.wait_synced()
        assert informer.has_synced(namespace)
        assert ObjectKey(namespace, "before") in mirror.known
        await make(client, namespace, "after", app="x")
        await mirror.until(lambda names: names == {"before", "after"})
        assert [o.metadata.name for o in informer.lister.by_index("app", "x")] == ["after"]
        await drop(client, namespace, "before")
        await mirror.until(lambda names: names == {"after"})
        (part,) = informer.statistics().parts
        assert (part.state, part.relists, part.restarts) == (State.SYNCED, 1, 0)


async def test_own_write_is_seen_at_once(client, namespace):
    """What a write returned is in the cache before the watch brings it, and told once."""
    informer = configmaps(client, namespace)
    mirror = Mirror(informer)
    async with running(informer):
        await informer.wait_synced()
        await make(client, namespace, "a")
        await mirror.until(lambda names: names == {"a"})
        before, written = mirror.events, mirror.known[ObjectKey(namespace, "a")]
        key = ObjectKey(namespace, "a")
        for n in range(20):
            written = await client.merge_patch(
                meta.CONFIGMAPS, key, {"data": {"n": str(n)}}, into=objects.ConfigMapView
            )
            informer.note_write(written)
            stored = informer.lister.get(key)
            assert stored
            assert int(stored.metadata.resource_version) >= int(written.metadata.resource_version)
        await make(client, namespace, "last")
        await mirror.until(lambda names: "last" in names)
        assert mirror.events == before + 21
        await drop(client, namespace, "a")
        await mirror.until(lambda names: "a" not in names)
        informer.note_write(written)
        assert informer.lister.get(key) is None


@pytest.mark.parametrize(
    "fault",
    [(CutLine(), "cut"), (gone_event(), "gone")],
    ids=["cut-in-the-middle-of-a-line", "410-inside"],
)
async def test_broken_stream(client, proxied, proxy, namespace, fault):
    """A stream that breaks in the middle loses nothing: additions, changes and deletions arrive."""
    disturbance, reason = fault
    instruments = Reasons()
    informer = configmaps(proxied, namespace, instruments=instruments)
    mirror = Mirror(informer)
    await make(client, namespace, "goes")
    async with running(informer):
        await informer.wait_synced()
        with proxy.fault(WATCH, disturbance, times=1):
            await make(client, namespace, "comes")
            await drop(client, namespace, "goes")
            await mirror.until(lambda names: names == {"comes"})
        assert instruments.reasons[0] == reason
        await make(client, namespace, "later")
        await mirror.until(lambda names: names == {"comes", "later"})


async def test_gone_as_status(client, proxied, proxy, namespace):
    """410 as the answer to resuming leads to a list with tombstones."""
    informer = configmaps(proxied, namespace)
    mirror = Mirror(informer)
    await make(client, namespace, "goes")
    async with running(informer):
        await informer.wait_synced()
        with proxy.fault(WATCH, gone(), times=2):
            proxy.drop_connections()
            await drop(client, namespace, "goes")
            await make(client, namespace, "comes")
            await mirror.until(lambda names: names == {"comes"})
        await until(lambda: informer.statistics().parts[0].relists == 2)


async def test_silent_stream(client, proxied, proxy, namespace):
    """A stream that falls silent is replaced and counted, and nothing is lost."""
    instruments = Reasons()
    informer = configmaps(proxied, namespace, instruments=instruments, timing=Timing(silence=2))
    mirror = Mirror(informer)
    async with running(informer):
        await informer.wait_synced()
        with proxy.fault(WATCH, Silence(), times=1) as rule:
            await rule.wait_applied()
            await make(client, namespace, "unheard")
            await mirror.until(lambda names: names == {"unheard"})
        assert "silent" in instruments.reasons


async def test_throttled(client, proxied, proxy, namespace):
    """429 with Retry-After is waited out."""
    informer = configmaps(proxied, namespace)
    answer = Answer(429, "storage is (re)initializing", {"Retry-After": "1"})
    with proxy.fault(WATCH, answer, times=1):
        started = asyncio.get_running_loop().time()
        async with running(informer):
            await informer.wait_synced()
            assert asyncio.get_running_loop().time() - started >= 1


async def test_failing_server(client, proxied, proxy, namespace):
    """While the API server answers 500 the cache is kept and marked; then it catches up."""
    informer = configmaps(proxied, namespace, timing=Timing(backoff_cap=2))
    mirror = Mirror(informer)
    await make(client, namespace, "goes")
    async with running(informer):
        await informer.wait_synced()
        with proxy.fault(WATCH, Answer(500, "etcdserver: request timed out")):
            proxy.drop_connections()
            await until(lambda: informer.statistics().parts[0].state is State.DEGRADED)
            assert informer.has_synced()
            assert informer.lister.get(ObjectKey(namespace, "goes")) is not None
            await drop(client, namespace, "goes")
            await make(client, namespace, "comes")
        await mirror.until(lambda names: names == {"comes"})
        await until(lambda: informer.statistics().parts[0].state is State.SYNCED)


async def test_paged_list(client, proxied, proxy, namespace):
    """A server without streamed lists is read in pages, then watched."""
    await make(client, namespace, "a")
    refused = Answer(
        422, {"kind": "Status", "code": 422, "reason": "Invalid", "message": "sendInitialEvents"}
    )
    streamed = Match(resource="configmaps", where=lambda r: "sendInitialEvents" in r.query)
    informer = configmaps(proxied, namespace)
    mirror = Mirror(informer)
    with proxy.fault(streamed, refused):
        async with running(informer):
            await informer.wait_synced()
            assert proxy.log.counts()["list", "configmaps"] == 1
            await make(client, namespace, "b")
            await mirror.until(lambda names: names == {"a", "b"})


async def test_crd_comes_goes_and_comes_again(client, namespace):
    """A type that is not installed is waited for; deleted, its objects go; made again, they come."""
    rt = testcrd.new_type()
    informer = Informer(client, rt, objects.CustomObject)
    other = configmaps(client, namespace)
    mirror = Mirror(informer)
    async with running(informer, other):
        await informer.wait_synced()
        await other.wait_synced()
        assert not informer.has_synced()
        assert other.has_synced()
        assert informer.statistics().parts[0].state is State.CRD_MISSING
        for name in ("first", "second"):
            await testcrd.install(client, rt)
            await client.create(rt, namespace, testcrd.widget(rt, namespace, name, size=1))
            await mirror.until(lambda names, name=name: names == {name})
            await until(informer.has_synced)
            found = informer.lister.get(ObjectKey(namespace, name))
            assert found
            assert bytes(found.spec) == b'{"size":1}'
            await testcrd.uninstall(client, rt)
            await mirror.until(lambda names: not names)
        await until(lambda: informer.statistics().parts[0].state is State.CRD_MISSING)


async def test_crd_replaced_behind_its_back(client, namespace):
    """A CRD deleted and made again at once ends with the new objects only."""
    rt = testcrd.new_type()
    await testcrd.install(client, rt)
    informer = Informer(client, rt, objects.CustomObject)
    mirror = Mirror(informer)
    async with running(informer):
        await informer.wait_synced()
        await client.create(rt, namespace, testcrd.widget(rt, namespace, "old"))
        await mirror.until(lambda names: names == {"old"})
        await testcrd.uninstall(client, rt)
        await testcrd.install(client, rt)
        await client.create(rt, namespace, testcrd.widget(rt, namespace, "new"))
        await mirror.until(lambda names: names == {"new"})
    await testcrd.uninstall(client, rt)


async def test_large_objects(client, namespace):
    """Objects of 900 KB come through list and watch whole."""
    rt = testcrd.new_type()
    await testcrd.install(client, rt)
    text = "x" * 900_000
    await client.create(rt, namespace, testcrd.widget(rt, namespace, "listed", text=text))
    informer = Informer(client, rt, objects.CustomObject)
    mirror = Mirror(informer)
    async with running(informer):
        await informer.wait_synced()
        await client.create(rt, namespace, testcrd.widget(rt, namespace, "watched", text=text))
        await mirror.until(lambda names: names == {"listed", "watched"})
        assert all(len(bytes(o.spec)) > 900_000 for o in informer.lister.list())
    await testcrd.uninstall(client, rt)


async def test_forbidden_namespace(client, control_plane, namespace):
    """One namespace without rights degrades alone, and recovers when the rights come."""
    path = await asyncio.to_thread(control_plane.kubeconfig_for, "default", namespace)
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "reader"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "watch"]}],
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": namespace}],
    }
    rbac = meta.ResourceType("rbac.authorization.k8s.io", "v1", "roles", "Role")
    bindings = meta.ResourceType("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")

    async def allow(where):
        await client.create(rbac, where, role)
        await client.create(bindings, where, binding)

    await allow(namespace)
    async with KubeClient(await config.load(str(path))) as limited:
        informer = Informer(
            limited,
            meta.CONFIGMAPS,
            objects.ConfigMapView,
            scope=FixedScope([namespace, "kube-public"]),
            timing=Timing(backoff_cap=1),
        )
        mirror = Mirror(informer)
        async with running(informer):
            await informer.wait_synced()
            await until(lambda: informer.has_synced(namespace))
            assert not informer.has_synced("kube-public")
            await make(client, namespace, "a")
            await mirror.until(lambda names: "a" in names)
            await allow("kube-public")
            await until(informer.has_synced)
    await client.delete(bindings, ObjectKey("kube-public", "reader"))
    await client.delete(rbac, ObjectKey("kube-public", "reader"))


async def test_selected_namespaces(client, namespace):
    """Namespaces join and leave with their labels, while running."""
    label = f"selected-{namespace}"
    scope = SelectedScope(client, f"{label}=yes")
    informer = Informer(client, meta.CONFIGMAPS, objects.ConfigMapView, scope=scope)
    mirror = Mirror(informer)
    await make(client, namespace, "a")
    async with running(scope, informer):
        await informer.wait_synced()
        assert mirror.known == {}
        key = ObjectKey("", namespace)
        await client.merge_patch(meta.NAMESPACES, key, {"metadata": {"labels": {label: "yes"}}})
        await mirror.until(lambda names: names == {"a"})
        await client.merge_patch(meta.NAMESPACES, key, {"metadata": {"labels": {label: None}}})
        await mirror.until(lambda names: not names)
        assert scope.namespaces() == frozenset()


async def test_api_server_restarts(own_control_plane):
    """The API server goes away and comes back: the cache keeps what it had and catches up."""
    async with KubeClient(await config.load(str(own_control_plane.kubeconfig))) as client:
        informer = configmaps(client, "default", timing=Timing(backoff_cap=1))
        mirror = Mirror(informer)
        await make(client, "default", "before")
        async with running(informer):
            await informer.wait_synced()
            await asyncio.to_thread(own_control_plane.stop_component, "kube-apiserver", kill=True)
            with pytest.raises(errors.Unreachable):
                await make(client, "default", "never")
            await until(lambda: informer.statistics().parts[0].state is State.DEGRADED)
            assert informer.lister.get(ObjectKey("default", "before")) is not None
            await asyncio.to_thread(own_control_plane.start_component, "kube-apiserver")
            await make(client, "default", "after")
            await drop(client, "default", "before")
            await mirror.until(lambda names: names == {"after"}, 60)
            await until(lambda: informer.statistics().parts[0].state is State.SYNCED, 90)
