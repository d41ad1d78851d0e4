"""One REST call: encode, send, retry as allowed, judge the status, decode."""

from typing import Final, TypeVar

import msgspec
from attrs import frozen

from flinkop.flink import errors, retry
from flinkop.flink.transport import DEFAULT_LIMIT, Body, RawAnswer, Transport

T = TypeVar("T")

CLIENT_TIMEOUT: Final = 10.0
"""`kubernetes.operator.flink.client.timeout`."""


@frozen
class Call:
    """A request to be made.

    Attributes:
        method: HTTP method.
        path: path and query below `/v1`.
        json: request body, encoded as JSON when not None.
        body: another request body.
        limit: bytes that the answer may have.
        idempotent: whether sending it twice does its work once; decided by the method when None.
    """

    method: str
    path: str
    json: object = None
    body: Body | None = None
    limit: int = DEFAULT_LIMIT
    idempotent: bool | None = None

    def is_idempotent(self) -> bool:
        """Return whether the request may be repeated after it may have arrived."""
        return (
            self.method in {"GET", "PUT", "DELETE", "PATCH"}
            if self.idempotent is None
            else self.idempotent
        )

    def __str__(self) -> str:
        return f"{self.method} {self.path.split('?', 1)[0]}"


async def send(transport: Transport, call: Call, *, timeout: float, again: bool) -> bytes:  # noqa: ASYNC109
    """Make the call and return the body of its 2xx answer.

    Args:
        transport: the way to the cluster.
        call: what to send.
        timeout: seconds for the call with all its retries.
        again: False makes a single attempt, for probes that are repeated by their caller.

    Raises:
        FlinkError: of any kind.
    """

    async def attempt(seconds: float) -> bytes:
        answer = await transport.request(
            call.method,
            f"/v1{call.path}",
            json=call.json,
            body=call.body,
            timeout=max(seconds, 0.001),
            limit=call.limit,
        )
        return _judge(answer)

    if not again:
        return await attempt(timeout)
    return await retry.until_answered(attempt, timeout=timeout, idempotent=call.is_idempotent())


def _judge(answer: RawAnswer) -> bytes:
    if 200 <= answer.status < 300:  # noqa: PLR2004 - success, as HTTP numbers it
        return answer.body
    raise errors.from_answer(answer.status, answer.body)


def decode(body: bytes, into: type[T], call: Call) -> T:
    """Return the body as `into`.

    Raises:
        BadAnswer: it is not JSON, or lacks what is needed.
    """
    try:
        return msgspec.json.decode(body, type=into)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise errors.BadAnswer(f"{call}: cannot read the answer: {error}") from error
