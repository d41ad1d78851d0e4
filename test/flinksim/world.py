"""All clusters, their storage and the orders for them."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from flinksim import knobs
from flinksim.cluster import Cluster, Effects, Key, NoEffects
from flinksim.ledger import Ledger
from flinksim.scheduler import Scheduler
from flinksim.storage import Storage

ANY = "*"


class World:
    def __init__(
        self, scheduler: Scheduler, effects: Effects | None = None, *, taskmanagers: str = "none"
    ) -> None:
        self.scheduler = scheduler
        self.storage = Storage()
        self.effects = effects or NoEffects()
        self.clusters: dict[Key, Cluster] = {}
        self.ledger = Ledger()
        self.on_order: Callable[[Cluster], None] = lambda _: None
        self._taskmanagers = taskmanagers
        self._orders: dict[Key, dict[str, Any]] = {}

    def cluster(self, namespace: str, name: str) -> Cluster:
        """Return the cluster, making it when it is new."""
        key = (namespace, name)
        if key not in self.clusters:
            made = Cluster(
                key, self.scheduler, self.storage, self.effects, self.ledger, self._taskmanagers
            )
            made.orders = self._layers(key)
            self.clusters[key] = made
        return self.clusters[key]

    def is_led(self, key: Key) -> bool:
        """Whether a JobManager runs."""
        found = self.clusters.get(key)
        return found is not None and found.leader is not None

    # --- orders

    def order(self, namespace: str, name: str, orders: Mapping[str, Any]) -> None:
        """Add to the orders of a cluster, or of several by `*`; clusters need not exist yet.

        Raises:
            ValueError: an unknown order.
        """
        knobs.layered(orders)
        mine = self._orders.setdefault((namespace, name), {})
        for key, value in orders.items():
            if key == "delays" and value is not None:
                mine["delays"] = mine.get("delays", {}) | dict(value)
            elif value is None:
                mine.pop(key, None)
            else:
                mine[key] = value
        self._apply(namespace, name, orders)

    def cancel_orders(self, namespace: str, name: str) -> None:
        self._orders.pop((namespace, name), None)
        self._apply(namespace, name, {})

    def orders(self) -> dict[str, Any]:
        return {"/".join(key): dict(value) for key, value in self._orders.items()}

    def _apply(self, namespace: str, name: str, fresh: Mapping[str, Any]) -> None:
        for key, cluster in self.clusters.items():
            if namespace in {ANY, key[0]} and name in {ANY, key[1]}:
                cluster.ordered(self._layers(key), fresh)
                self.on_order(cluster)

    def _layers(self, key: Key) -> list[Mapping[str, Any]]:
        wanted = ((ANY, ANY), (ANY, key[1]), (key[0], ANY), key)
        return [self._orders[one] for one in wanted if one in self._orders]

    # --- what tests ask

    def dump(self) -> dict[str, Any]:
        return {
            "clusters": {"/".join(key): cluster.dump() for key, cluster in self.clusters.items()},
            "snapshots": {
                one.path: {"counter": one.counter, "savepoint": one.is_savepoint}
                for one in self.storage.all()
            },
            "disposed": self.storage.disposed,
            "doubled": self.ledger.doubled,
            "orders": self.orders(),
        }

    def summary(self) -> dict[str, Any]:
        """Counts only: cheap with thousands of clusters."""
        states: Counter[str] = Counter()
        calls: Counter[str] = Counter()
        for cluster in self.clusters.values():
            calls.update(cluster.recorder.counts())
            if (leader := cluster.leader) is not None:
                states.update(job.state for job in leader.jobs.values())
        lost = sum(run.lost for runs in self.ledger.runs.values() for run in runs)
        return {
            "clusters": len(self.clusters), "jobs": dict(states), "calls": dict(calls),
            "runs": sum(map(len, self.ledger.runs.values())), "lost": lost, "doubled": len(self.ledger.doubled),
        }  # fmt: skip
