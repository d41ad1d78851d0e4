"""What a write of the operator is called, so that it is known again in another run; pure."""

import re
from typing import Literal

import attrs
from fakes.apirequest import ApiRequest

Moment = Literal["before", "after"]
Target = Literal["api", "flink"]

MOMENTS: tuple[Moment, ...] = ("before", "after")
_RELAY = "relay"
_JOB = re.compile(r"[0-9a-f]{32}")
_JAR = re.compile(r"[0-9a-f]{8}-[0-9a-f]{16}_")
_MILLIS = re.compile(r"\d{13}")
_SHOWN = 160  # characters of a body in a message


@attrs.frozen(order=True)
class Write:
    """The `nth` write of its kind, counted from 1, while a scenario's deed number `step` is done."""

    step: int
    what: str
    nth: int

    def __str__(self) -> str:
        """Return e.g. `1:patch flinkdeployments/status:2`."""
        return f"{self.step}:{self.what}:{self.nth}"


@attrs.frozen(order=True)
class Point:
    """A moment at which the operator is killed: before the server sees a write, or before the operator hears."""

    scenario: str
    write: Write
    moment: Moment

    def __str__(self) -> str:
        """Return what `parse` reads, e.g. `upgrade:0:create deployments one:1:after`."""
        return f"{self.scenario}:{self.write}:{self.moment}"

    @property
    def again(self) -> bool:
        """Whether the next operator is to be killed as well."""
        return False

    def catches(self, write: Write, moment: Moment) -> bool:
        """Return whether this is where the operator is killed."""
        return (write, moment) == (self.write, self.moment)


@attrs.frozen(order=True)
class Relay:
    """Every operator is killed, each at the first write at which none before it was.

    So all that is begun is ended by somebody else, and nothing can be kept in an operator's memory.
    """

    scenario: str
    moment: Moment

    def __str__(self) -> str:
        """Return what `parse` reads, e.g. `upgrade:relay:after`."""
        return f"{self.scenario}:{_RELAY}:{self.moment}"

    @property
    def again(self) -> bool:
        """Whether the next operator is to be killed as well."""
        return True

    def catches(self, write: Write, moment: Moment) -> bool:
        """Return whether this is where the operator is killed."""
        return moment == self.moment


Crash = Point | Relay


def parse(text: str) -> Crash:
    """Return the crash that `str` wrote.

    Raises:
        ValueError: it did not.
    """
    scenario, step, *rest = text.split(":", 2)
    if step == _RELAY:
        return Relay(scenario, _moment(*rest))
    what, nth, moment = "".join(rest).rsplit(":", 2)
    return Point(scenario, Write(int(step), what, int(nth)), _moment(moment))


def _moment(text: str = "") -> Moment:
    for known in MOMENTS:
        if text == known:
            return known
    raise ValueError(f"{text!r} is neither before nor after")


def name(request: ApiRequest, target: Target) -> str:
    """Return what kind of write this is; nothing in it differs from run to run."""
    if target == "flink":
        _, _, path = request.path.lstrip("/").split("/", 2)
        mode = f"?mode={request.query['mode']}" if "mode" in request.query else ""
        return _steady(f"{request.method} /{path}{mode}")
    resource = request.resource
    what = f"{resource}/{request.subresource}" if request.subresource else resource
    rehearsed = " (dry run)" if "dryRun" in request.query else ""
    return _steady(f"{request.verb} {what} {_object(request)}".rstrip() + rehearsed)


def is_flinks(write: Write) -> bool:
    """Return whether it is a write to Flink: `name` begins with an HTTP method then, else with a verb."""
    return write.what.partition(" ")[0].isupper()


def shown(request: ApiRequest) -> str:
    """Return what is in the write, short enough for a line."""
    text = request.body.decode(errors="replace")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _object(request: ApiRequest) -> str:
    """Return the name of the object; of an Event its reason, because its name is a hash."""
    body = request.json()
    body = body if isinstance(body, dict) else {}
    if request.resource == "events":
        return str(body.get("reason", ""))
    return request.name or str(body.get("metadata", {}).get("name", ""))


def _steady(text: str) -> str:
    return _MILLIS.sub("*", _JAR.sub("*_", _JOB.sub("*", text)))
