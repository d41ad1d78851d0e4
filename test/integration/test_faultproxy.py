"""The fault proxy in front of a real API server, and our client in front of the proxy."""

import asyncio
import contextlib
import subprocess

import pytest
from fakes.faultrules import (
    WATCHES,
    CloseAfter,
    CloseBefore,
    CutLine,
    Hold,
    Match,
    Silence,
    gone,
    gone_event,
    too_many_requests,
)

from flinkop.kube import errors, stream
from flinkop.kube.meta import CONFIGMAPS, ObjectKey

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


def configmap(name, **data):
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": data,
    }


async def test_undisturbed(proxy, proxied, namespace):
    """Create, read, list, patch and delete pass, each as one request, counted by verb and resource."""
    key = ObjectKey(namespace, "a")
    await proxied.create(CONFIGMAPS, namespace, configmap("a", x="1"))
    await proxied.merge_patch(CONFIGMAPS, key, {"data": {"x": "2"}})
    assert (await proxied.get(CONFIGMAPS, key))["data"] == {"x": "2"}
    assert "a" in {i["metadata"]["name"] for i in (await proxied.list_all(CONFIGMAPS)).items}
    await proxied.delete(CONFIGMAPS, key)
    with pytest.raises(errors.NotFound):
        await proxied.get(CONFIGMAPS, key)
    assert proxy.log.counts() == {
        ("create", "configmaps"): 1,
        ("patch", "configmaps"): 1,
        ("get", "configmaps"): 2,
        ("list", "configmaps"): 1,
        ("delete", "configmaps"): 1,
    }


async def test_kubectl(proxy, control_plane, namespace, tmp_path):
    """Kubectl works with the proxy's kubeconfig: discovery, tables and apply included."""
    path = proxy.write_kubeconfig(tmp_path / "kubeconfig")
    done = await asyncio.to_thread(
        subprocess.run,
        [control_plane.kubectl_path, "--kubeconfig", path, "-n", namespace, "get", "configmaps"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "kube-root-ca.crt" in done.stdout


async def test_large_object_in_a_watch(proxied, namespace):
    """An object of 900 KB is written, read and watched."""
    body = configmap("large", x="y" * 900_000)
    watch = proxied.watch(CONFIGMAPS, namespace, field_selector="metadata.name=large")
    async with contextlib.aclosing(watch) as events:
        await proxied.create(CONFIGMAPS, namespace, body)
        async for event in events:
            assert event.type == "ADDED"
            break
    assert (await proxied.get(CONFIGMAPS, ObjectKey(namespace, "large")))["data"] == body["data"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (CutLine(), stream.StreamError),
        (Silence(), stream.StreamError),
        (gone_event(), errors.Gone),
        (gone(), errors.Gone),
    ],
)
async def test_broken_watches(proxy, proxied, namespace, fault, error):
    """A watch that is cut, silent or too old ends with an error, never quietly and never hanging."""
    with proxy.fault(WATCHES, fault) as rule, pytest.raises(error):
        async for _event in proxied.watch(CONFIGMAPS, namespace, silence=1.0):
            pass
    assert rule.applied == 1


async def test_throttled(proxy, proxied, namespace):
    """A 429 is waited out and the call succeeds."""
    with proxy.fault(Match(verb="create"), too_many_requests(retry_after=1), times=1):
        await proxied.create(CONFIGMAPS, namespace, configmap("a"))
    first, second = proxy.log.writes()
    assert (first.status, second.status) == (429, 201)
    assert second.started - first.started >= 1


async def test_lost_acknowledgement(proxy, proxied, namespace):
    """A write whose answer is lost has happened; one that never arrived has not. The client cannot tell."""
    for name, fault in (("after", CloseAfter()), ("before", CloseBefore())):
        with proxy.fault(Match(verb="create"), fault), pytest.raises(errors.Unreachable):
            await proxied.create(CONFIGMAPS, namespace, configmap(name))
    names = {i["metadata"]["name"] for i in (await proxied.list_all(CONFIGMAPS, namespace)).items}
    assert names & {"after", "before"} == {"after"}


async def test_each_write_leaves_once(proxy, proxied, namespace):
    """No layer repeats a write behind the client's back: the fence would not be asked."""
    key = ObjectKey(namespace, "a")
    found = await proxied.create(CONFIGMAPS, namespace, configmap("a"))
    with proxy.fault(Match(write=True), CloseBefore()):
        for write in (
            lambda: proxied.replace(CONFIGMAPS, key, found),
            lambda: proxied.merge_patch(CONFIGMAPS, key, {"data": {"x": "1"}}),
            lambda: proxied.delete(CONFIGMAPS, key),
        ):
            with pytest.raises(errors.Unreachable):
                await write()
    assert [e.request.verb for e in proxy.log.writes()] == ["create", "update", "patch", "delete"]


async def test_conflict_with_another_writer(proxy, proxied, control_plane, namespace):
    """Another writer comes in between while a write is held; the optimistic lock notices."""
    key = ObjectKey(namespace, "a")
    found = await proxied.create(CONFIGMAPS, namespace, configmap("a"))
    with proxy.fault(Match(verb="update"), Hold()) as rule:
        async with asyncio.TaskGroup() as group:
            group.create_task(_intrude(rule, control_plane, namespace))
            with pytest.raises(errors.Conflict):
                await proxied.replace(CONFIGMAPS, key, found)


async def _intrude(rule, control_plane, namespace):
    await rule.wait_applied()
    await asyncio.to_thread(
        control_plane.kubectl, "-n", namespace, "label", "configmap", "a", "by=another"
    )
    rule.release()
