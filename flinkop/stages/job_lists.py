"""The jobs of session clusters, asked for once for all who want to know.

Flink tells of all jobs of a cluster at once, and each of them has a resource that is looked at. Promises: of one
cluster at most one list is on its way at a time, unless somebody needs a newer one; what is handed out was asked
for no longer ago than the caller allows; a failure is shared like an answer. Nothing is remembered of a cluster
that nobody has asked for in a while.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from attrs import define, field

from flinkop.flink.address import Cluster
from flinkop.flink.errors import FlinkError
from flinkop.flink.models import JobOverview

_KEPT_SECONDS: Final = 120.0

Jobs = Mapping[str, JobOverview]
"""Jobs by id."""

Ask = Callable[[], Awaitable[tuple[JobOverview, ...]]]


@define(eq=False)
class _Look:
    begun: float
    answer: asyncio.Future[Jobs | FlinkError | None]
    """None when whoever asked was cancelled."""


@define
class JobLists:
    """Lists by cluster."""

    _looks: dict[Cluster, _Look] = field(factory=dict)

    async def read(self, cluster: Cluster, ask: Ask, *, max_age: float) -> Jobs:
        """Return the jobs of `cluster`, asked for with `ask` unless that was done within `max_age` seconds.

        Raises:
            FlinkError: they could not be read.
        """
        oldest = asyncio.get_running_loop().time() - max_age
        while True:
            look = self._looks.get(cluster)
            if look is None or look.begun < oldest:
                look = self._begin(cluster)
                await _carry_out(look, ask)
            # The future is everybody's: one who is cancelled must not cancel it.
            answer = await asyncio.shield(look.answer)
            if isinstance(answer, FlinkError):
                raise answer
            if answer is not None:
                return answer
            if self._looks.get(cluster) is look:
                del self._looks[cluster]

    def _begin(self, cluster: Cluster) -> _Look:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for known, look in list(self._looks.items()):
            if look.begun < now - _KEPT_SECONDS and look.answer.done():
                del self._looks[known]
        begun = self._looks[cluster] = _Look(now, loop.create_future())
        return begun


async def _carry_out(look: _Look, ask: Ask) -> None:
    outcome: Jobs | FlinkError | None = None
    try:
        outcome = {job.jid: job for job in await ask()}
    except FlinkError as error:
        outcome = error
    finally:
        look.answer.set_result(outcome)
