"""Reading the operator's own /metrics."""

from collections import Counter

import aiohttp
import attrs
from prometheus_client.parser import text_string_to_metric_families

from flinkop.metrics import names

Calls = Counter[tuple[str, str]]
"""How often each (verb, resource) of the API server was called, or (method, endpoint) of Flink."""

READS = frozenset({"get", "list", "watch", "proxy", "raw"})


@attrs.frozen
class Scrape:
    """What was counted up to one moment.

    Attributes:
        calls: exchanges with the API server, by (verb, resource).
        flink: requests to Flink clusters, by (method, endpoint).
        longest_pause: seconds the event loop was late at most, since the process began.
    """

    calls: Calls
    flink: Calls
    longest_pause: float | None


def parse(text: str) -> Scrape:
    """Read the text format."""
    calls: Calls = Counter()
    flink: Calls = Counter()
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


def since(after: Calls, before: Calls) -> Calls:
    """Calls made between two counts."""
    made = Counter(after)
    made.subtract(before)
    return Counter({key: count for key, count in made.items() if count})


def writes(calls: Calls) -> int:
    """How many of the calls change something, leases apart (one per renewal, not per resource)."""
    return sum(
        count
        for (verb, resource), count in calls.items()
        if verb not in READS and not resource.startswith("leases")
    )
