"""The control plane itself goes and comes back: the API server's process, the CRDs."""

import asyncio

import pytest
from fakes.operators import apart, inside
from fakes.survivalstage import install_crds, remove_crds, staged

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


async def test_the_api_server_is_restarted(stage):
    """Nothing is restarted but the API server; what is asked for afterwards is done."""
    async with apart(stage.setup) as operator:
        await stage.create("one")
        await stage.create("two")
        await stage.stable("one", "two")
        uids = stage.uids("one")
        await asyncio.to_thread(stage.plane.stop_component, "kube-apiserver")
        stage.proxy.drop_connections()
        await asyncio.to_thread(stage.plane.start_component, "kube-apiserver")
        await stage.create("three")
        await stage.change("two", restartNonce=1)
        await stage.stable("one", "three")
        await stage.stable("two", generation=2)
        assert operator.code is None
        assert stage.uids("one") == uids
        assert len(stage.uids("two")) == 2
        assert len(stage.uids("three")) == 1


async def test_the_crds_are_deleted_and_made_again(stage):
    """Their deletion takes every cluster down in good order; what is created afterwards runs."""
    async with inside(stage.setup) as operator:
        await stage.create("one")
        await stage.stable("one")
        await asyncio.to_thread(remove_crds, stage.plane)
        await stage.witness.until(lambda: stage.witness.deployment("one") is None, what="gone")
        asked = len(stage.proxy.log.exchanges)
        await asyncio.to_thread(install_crds, stage.plane)
        await stage.create("one")
        await stage.create("two")
        await stage.stable("one", "two")
        assert not operator.done()
        assert len(stage.uids("one")) == 2
        assert len(stage.uids("two")) == 1
        assert len(stage.proxy.log.exchanges) - asked < 100


async def test_the_crds_come_after_the_operator(bare_plane, tmp_path):
    """The operator starts without them, waits with few requests, and goes to work once they are there."""
    await asyncio.to_thread(remove_crds, bare_plane)
    async with staged(bare_plane, tmp_path) as stage, apart(stage.setup) as operator:
        await operator.until_said("Up: controllers")
        assert len(stage.proxy.log.exchanges) < 40
        await asyncio.to_thread(install_crds, bare_plane)
        await stage.create()
        await stage.stable(seconds=20)
        assert operator.code is None
