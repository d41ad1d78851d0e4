"""What went through a fault proxy: every request with its outcome, counters, and waiting for a state."""

import asyncio
from collections import Counter
from collections.abc import Callable

import attrs
from fakes.apirequest import ApiRequest


@attrs.define(eq=False)
class Exchange:
    """One request and what became of it.

    `status` is None while it is under way and when the client got no answer; `ended` is None while it is
    under way. `faults` names the faults applied. `forwarded` says that the API server saw it, and
    `upstream_status` what it answered, whatever the client got. Times are the loop's, in seconds.
    """

    request: ApiRequest
    started: float
    status: int | None = None
    upstream_status: int | None = None
    forwarded: bool = False
    response_size: int = 0
    lines: int = 0
    faults: list[str] = attrs.field(factory=list)
    ended: float | None = None

    def __str__(self) -> str:
        """Return e.g. `patch flinkdeployments/status demo/basic -> 200`."""
        faults = f" ({', '.join(self.faults)})" if self.faults else ""
        return f"{self.request} -> {self.status or '-'}{faults}"


class RequestLog:
    """Exchanges in the order in which they began."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self._changed = asyncio.Event()

    def begin(self, request: ApiRequest) -> Exchange:
        """Note that `request` arrived."""
        exchange = Exchange(request, asyncio.get_running_loop().time())
        self.exchanges.append(exchange)
        self.notify()
        return exchange

    def end(self, exchange: Exchange) -> None:
        """Note that `exchange` is over."""
        exchange.ended = asyncio.get_running_loop().time()
        self.notify()

    def notify(self) -> None:
        """Let waiters look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    def clear(self) -> None:
        """Forget what happened so far; exchanges under way no longer show either."""
        self.exchanges.clear()

    def select(self, match: Callable[[ApiRequest], bool]) -> list[Exchange]:
        """Return the exchanges whose request matches (a `Match` or any predicate)."""
        return [exchange for exchange in self.exchanges if match(exchange.request)]

    def open(self, match: Callable[[ApiRequest], bool]) -> list[Exchange]:
        """Return the matching exchanges that are under way."""
        return [exchange for exchange in self.select(match) if exchange.ended is None]

    def writes(self) -> list[Exchange]:
        """Return the exchanges that change something."""
        return [exchange for exchange in self.exchanges if exchange.request.write]

    def counts(self) -> Counter[tuple[str, str]]:
        """Return how many requests there were by verb and resource; a subresource counts apart (`pods/log`)."""
        counter: Counter[tuple[str, str]] = Counter()
        for exchange in self.exchanges:
            request = exchange.request
            what = request.resource or request.path
            counter[
                request.verb, f"{what}/{request.subresource}" if request.subresource else what
            ] += 1
        return counter

    def statuses(self) -> Counter[int | None]:
        """Return how many exchanges that are over ended with each status (None: no answer)."""
        return Counter(exchange.status for exchange in self.exchanges if exchange.ended is not None)

    async def wait_for(self, predicate: Callable[["RequestLog"], bool]) -> None:
        """Wait until `predicate(log)` holds; looked at whenever a request begins, is answered or ends."""
        while not predicate(self):
            await self._changed.wait()

    async def wait_count(
        self, match: Callable[[ApiRequest], bool], count: int = 1
    ) -> list[Exchange]:
        """Wait until `count` matching exchanges have ended (streams: were answered) and return them."""

        def done() -> list[Exchange]:
            found = self.select(match)
            return [e for e in found if e.ended is not None or (e.request.stream and e.status)]

        await self.wait_for(lambda _log: len(done()) >= count)
        return done()

    def __str__(self) -> str:
        """Return one line per exchange, for assertion messages."""
        return "\n".join(map(str, self.exchanges))
