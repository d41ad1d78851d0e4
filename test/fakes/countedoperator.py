"""An operator of a test's own behind a proxy that sees its every request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
from fakes import kubeconfigs
from fakes.faultproxy import FaultProxy
from fakes.flinkuser import Place
from fakes.requestlog import Exchange
from fakes.scene import Scene

LABEL = "e2e/counted"
OWN = {LABEL: "true"}
"""Labels of resources that only such an operator manages; the shared one passes them by."""


@attrs.frozen
class CountedOperator:
    """It manages one namespace's resources with the labels `OWN`."""

    proxy: FaultProxy

    def since_now(self) -> None:
        """Forget what was asked so far."""
        self.proxy.log.clear()

    def requests(self) -> list[str]:
        """What was asked since, without the watches."""
        return [str(e) for e in self.proxy.log.exchanges if not e.request.watch]

    def writes(self) -> list[Exchange]:
        """What was changed since."""
        return self.proxy.log.writes()


@asynccontextmanager
async def counting(stage: Scene, place: Place, folder: Path) -> AsyncIterator[CountedOperator]:
    """Run one, with an interval of a second, while the block lasts."""
    async with FaultProxy(kubeconfigs.load(stage.plane.kubeconfig)) as proxy:
        scene = Scene(stage.plane, folder, sim_port=stage.sim_port)
        options = {
            "kubernetes.operator.label.selector": LABEL,
            "kubernetes.operator.reconcile.interval": "1 s",
        }
        through = proxy.write_kubeconfig(folder / "kubeconfig")
        try:
            await asyncio.to_thread(
                scene.start_operator,
                "--namespace",
                place.namespace,
                kubeconfig=through,
                options=options,
            )
            yield CountedOperator(proxy)
        finally:
            await asyncio.to_thread(scene.stop_operator)
