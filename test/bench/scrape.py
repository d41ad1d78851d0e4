"""Reading the operator's own /metrics."""

from collections import Counter

import aiohttp
import attrs
from prometheus_client.parser import text_string_to_metric_families

from flinkop.metrics import names

READS = frozenset({"get", "list", "watch", "proxy", "raw"})


@attrs.frozen
class Scrape:
    """What was counted up to one moment.

    Attributes:
        calls: exchanges with the API server, by (verb, resource).
        flink: requests to Flink clusters, by (method, endpoint).
        longest_pause: seconds the event loop was late at most, since the process began.
    """

    calls: Counter[tuple[str, str]]
    flink: Counter[tuple[str, str]]
    longest_pause: float | None

    def since(self, former: "Scrape") -> Counter[tuple[str, str]]:
        """Calls made after `former`."""
        return self.calls - former.calls

    def asked_since(self, former: "Scrape") -> Counter[tuple[str, str]]:
        """Requests to Flink made after `former`."""
        return self.flink - former.flink


def parse(text: str) -> Scrape:
    """Read the text format."""
    calls: Counter[tuple[str, str]] = Counter()
    flink: Counter[tuple[str, str]] = Counter()
    pause = None
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == names.CLIENT_REQUESTS.name:
                calls[sample.labels["verb"], sample.labels["resource"]] += int(sample.value)
            elif sample.name == names.FLINK_REQUESTS.name:
                flink[sample.labels["method"], sample.labels["endpoint"]] += int(sample.value)
            elif sample.name == names.LOOP_LONGEST_PAUSE.name:
                pause = sample.value
    return Scrape(calls, flink, pause)


async def scrape(address: str) -> Scrape:
    """Ask `address`/metrics."""
    async with aiohttp.ClientSession() as session, session.get(f"{address}/metrics") as answer:
        answer.raise_for_status()
        return parse(await answer.text())


def writes(calls: Counter[tuple[str, str]]) -> int:
    """How many of the calls change something, leases apart (one per renewal, not per resource)."""
    return sum(
        count
        for (verb, resource), count in calls.items()
        if verb not in READS and not resource.startswith("leases")
    )
