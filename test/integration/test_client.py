"""KubeClient against a real API server."""

import asyncio
import contextlib

import pytest
from fakes import kubeconfigs, testcrd
from fakes.faultrules import Answer, CloseAfter, Match, Truncate

from flinkop.kube import config, errors, meta, objects, stream
from flinkop.kube.client import KubeClient
from flinkop.kube.meta import ObjectKey
from flinkop.kube.serviceproxy import ServiceProxy

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


def configmap(namespace, name="a", **data):
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"namespace": namespace, "name": name},
        "data": data,
    }


async def test_a_whole_life(client, namespace):
    """An object is made, read, changed in each way, and deleted under preconditions."""
    key = ObjectKey(namespace, "a")
    made = await client.create(meta.CONFIGMAPS, namespace, configmap(namespace, x="1"))
    with pytest.raises(errors.AlreadyExists):
        await client.create(meta.CONFIGMAPS, namespace, configmap(namespace))
    found = await client.get(meta.CONFIGMAPS, key, into=objects.ConfigMapView)
    assert found.metadata.uid == made["metadata"]["uid"]
    assert found.data_keys == {"x"}
    patched = await client.merge_patch(meta.CONFIGMAPS, key, {"data": {"x": None, "y": "2"}})
    assert patched["data"] == {"y": "2"}
    applied = await client.apply(meta.CONFIGMAPS, key, configmap(namespace, z="3"), "tester")
    assert applied["data"] == {"y": "2", "z": "3"}
    assert {entry["manager"] for entry in applied["metadata"]["managedFields"]} == {
        "flinkop",
        "tester",
    }
    with pytest.raises(errors.Conflict):
        await client.replace(meta.CONFIGMAPS, key, made)
    with pytest.raises(errors.Conflict):
        await client.delete(meta.CONFIGMAPS, key, uid="other")
    await client.delete(
        meta.CONFIGMAPS, key, uid=made["metadata"]["uid"], propagation="Background", dry_run=True
    )
    await client.delete(meta.CONFIGMAPS, key, uid=made["metadata"]["uid"], propagation="Background")
    with pytest.raises(errors.NotFound) as caught:
        await client.get(meta.CONFIGMAPS, key)
    assert not caught.value.type_missing


async def test_an_event_of_the_newer_api(client, namespace):
    """events.k8s.io/v1 takes an Event without the old fields, and core/v1 shows the same object."""
    body = {
        "metadata": {"name": "a.1", "namespace": namespace},
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "flinkop",
        "reportingInstance": "flinkop-0",
        "action": "Testing",
        "type": "Normal",
        "reason": "Tested",
        "note": "one object, two APIs",
        "regarding": {"kind": "ConfigMap", "namespace": namespace, "name": "a"},
    }
    await client.create(meta.EVENTS_V1, namespace, body)
    seen = await client.get(meta.EVENTS, ObjectKey(namespace, "a.1"))
    assert seen["message"] == "one object, two APIs"


async def test_status_with_optimistic_lock(client, namespace):
    """A status patch with a resourceVersion is refused once somebody else has written."""
    rt = testcrd.new_type()
    await testcrd.install(client, rt)
    key = ObjectKey(namespace, "a")
    made = await client.create(rt, namespace, testcrd.widget(rt, namespace, "a", x=1))
    version = made["metadata"]["resourceVersion"]
    patch = {"metadata": {"resourceVersion": version}, "status": {"phase": "one"}}
    first = await client.merge_patch(rt, key, patch, "status", into=objects.CustomObject)
    assert bytes(first.status) == b'{"phase":"one"}'
    with pytest.raises(errors.Conflict):
        await client.merge_patch(rt, key, patch, "status")
    await testcrd.uninstall(client, rt)


async def test_what_is_wrong(client, namespace):
    """Refusals are typed: a bad object, a type that is not served, a subresource that is not there."""
    with pytest.raises(errors.Invalid) as caught:
        await client.create(meta.CONFIGMAPS, namespace, configmap(namespace, "Not A Name"))
    assert caught.value.causes()
    with pytest.raises(errors.NotFound) as missing:
        await client.list_page(testcrd.new_type())
    assert missing.value.type_missing
    with pytest.raises(errors.BadRequest):
        await client.create(meta.CONFIGMAPS, namespace, b"{")


async def test_forbidden(control_plane, namespace):
    """A service account without rights is told so."""
    path = await asyncio.to_thread(control_plane.kubeconfig_for, "default", namespace)
    async with KubeClient(await config.load(str(path))) as nobody:
        with pytest.raises(errors.Forbidden, match="cannot list resource"):
            await nobody.list_all(meta.PODS, namespace)
        with pytest.raises(errors.Forbidden):
            await anext(nobody.watch(meta.PODS, namespace))


async def test_wrong_token(control_plane, tmp_path):
    """A token that the API server does not know is Unauthorized, after one more look."""
    kubeconfig = kubeconfigs.write(tmp_path / "config", control_plane.server)
    changed = kubeconfig.read_text().replace("user: {}", "user: {token: nonsense}")
    changed = changed.replace("    server:", "    insecure-skip-tls-verify: true\n    server:")
    kubeconfig.write_text(changed)
    async with KubeClient(await config.load(str(kubeconfig))) as stranger:
        with pytest.raises(errors.Unauthorized):
            await stranger.list_page(meta.PODS)


async def test_pages(client, namespace):
    """A list in pages is complete and of one version, by selector."""
    async with asyncio.TaskGroup() as group:
        for n in range(25):
            body = configmap(namespace, f"c{n}")
            body["metadata"]["labels"] = {"parity": "even" if n % 2 == 0 else "odd"}
            group.create_task(client.create(meta.CONFIGMAPS, namespace, body))
    page = await client.list_all(
        meta.CONFIGMAPS,
        namespace,
        label_selector="parity=even",
        limit=4,
        into=objects.ConfigMapView,
    )
    assert sorted(o.metadata.name for o in page.items) == sorted(f"c{n}" for n in range(0, 25, 2))
    assert int(page.resource_version) > 0


async def test_watch(client, namespace):
    """A watch streams what is there, marks the end, and goes on."""
    await client.create(meta.CONFIGMAPS, namespace, configmap(namespace))
    seen = []
    async with contextlib.aclosing(
        client.watch(
            meta.CONFIGMAPS, namespace, label_selector="!kubernetes.io/x", send_initial_events=True
        )
    ) as events:
        async for event in events:
            name = objects.decode(event.object, objects.Partial).metadata.name
            if name == "kube-root-ca.crt":
                continue
            seen.append((event.type, name))
            if event.type == stream.BOOKMARK:
                await client.delete(meta.CONFIGMAPS, ObjectKey(namespace, "a"))
            elif event.type == stream.DELETED:
                break
    assert seen == [("ADDED", "a"), ("BOOKMARK", ""), ("DELETED", "a")]


async def test_many_watches_beside_requests(client, namespace):
    """Hundreds of watches do not keep a request waiting: no pool's limit is shared."""
    async with contextlib.AsyncExitStack() as stack:

        async def one():
            events = await stack.enter_async_context(
                contextlib.aclosing(
                    client.watch(meta.CONFIGMAPS, namespace, send_initial_events=True)
                )
            )
            async for event in events:
                if event.type == stream.BOOKMARK:
                    return

        async with asyncio.TaskGroup() as group:
            for _ in range(150):
                group.create_task(one())
        await client.get(meta.NAMESPACES, ObjectKey("", namespace), deadline=5)


async def test_large_object(client, namespace):
    """An object of 900 KB is written, read and watched."""
    body = configmap(namespace, "big", text="x" * 900_000)
    await client.create(meta.CONFIGMAPS, namespace, body)
    async with contextlib.aclosing(
        client.watch(meta.CONFIGMAPS, namespace, field_selector="metadata.name=big")
    ) as events:
        event = await anext(events)
    assert len(objects.decode(event.object, dict)["data"]["text"]) == 900_000


async def test_version(client):
    """The API server says which it is."""
    assert (await client.version()).git_version.startswith("v1.")


async def test_throttled(proxied, proxy, namespace):
    """429 with Retry-After is waited out, for a create as well."""
    answer = Answer(429, "too many requests", {"Retry-After": "1"})
    loop = asyncio.get_running_loop()
    with proxy.fault(Match(verb="create", resource="configmaps"), answer, times=1):
        started = loop.time()
        await proxied.create(meta.CONFIGMAPS, namespace, configmap(namespace))
    assert loop.time() - started >= 1


async def test_lost_acknowledgement(proxied, proxy, namespace):
    """A create whose answer is lost is Unreachable, and not sent twice; the object is there."""
    with proxy.fault(Match(verb="create", resource="configmaps"), CloseAfter(), times=1) as rule:
        with pytest.raises(errors.Unreachable):
            await proxied.create(meta.CONFIGMAPS, namespace, configmap(namespace))
        assert rule.seen == 1
    await proxied.get(meta.CONFIGMAPS, ObjectKey(namespace, "a"))


async def test_truncated_answer(proxied, proxy, namespace):
    """Half an answer is Unreachable, not half an object."""
    with (
        proxy.fault(Match(verb="get", resource="namespaces"), Truncate()),
        pytest.raises(errors.Unreachable),
    ):
        await proxied.get(meta.NAMESPACES, ObjectKey("", namespace))


async def test_service_proxy(client, namespace):
    """The service proxy speaks for itself when there is nothing behind it."""
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "c-rest"},
        "spec": {"ports": [{"port": 8081}], "selector": {"app": "none"}},
    }
    await client.create(meta.SERVICES, namespace, service)
    # 404 until the controllers have noticed the Service, 503 from then on.
    with pytest.raises((errors.ServerError, errors.NotFound), match="c-rest"):
        await ServiceProxy(client, namespace, "c-rest", 8081).request("GET", "/jobs")
    with pytest.raises(errors.NotFound):
        await ServiceProxy(client, namespace, "missing", 8081).request("GET", "/jobs")
