"""A transport that answers from a script and remembers what was asked."""

import asyncio
from collections.abc import Callable

import msgspec
from attrs import define, field

from flinkop.flink.transport import DEFAULT_LIMIT, Body, RawAnswer

Step = RawAnswer | BaseException | float | Callable[["Asked"], RawAnswer]
"""An answer, an error, seconds to hang, or a function of the request."""


@define
class Asked:
    method: str
    path: str
    json: object
    body: Body | None
    timeout: float
    limit: int


@define
class ScriptedTransport:
    """Plays `steps` one by one; the last one again and again."""

    steps: list[Step]
    asked: list[Asked] = field(factory=list)

    async def request(
        self,
        method: str,
        path: str,
        *,
        timeout: float,  # noqa: ASYNC109
        json: object = None,
        body: Body | None = None,
        limit: int = DEFAULT_LIMIT,
    ) -> RawAnswer:
        asked = Asked(method, path, json, body, timeout, limit)
        self.asked.append(asked)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, BaseException):
            raise step
        if isinstance(step, RawAnswer):
            return step
        if callable(step):
            return step(asked)
        await asyncio.sleep(step)
        raise RuntimeError("the caller should have given up")


def ok(body: object = None, status: int = 200) -> RawAnswer:
    return RawAnswer(status, b"" if body is None else msgspec.json.encode(body))


def refused(status: int, *errors: str) -> RawAnswer:
    return RawAnswer(status, msgspec.json.encode({"errors": list(errors)}))
