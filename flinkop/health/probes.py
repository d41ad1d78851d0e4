"""Whether the process is well, judged from what others tell. Pure: no waiting, no I/O.

Three questions, asked by different readers:

    alive    would a restart help?          `/healthz`, a liveness probe
    ready    are the caches in step?        `/readyz`, a readiness probe; a standby is ready
    started  has the start-up come to its end? any other path, as the reference's health port
"""

from collections.abc import Callable, Iterable
from typing import Final

from attrs import define, field, frozen

MOST_NAMED: Final = 5
"""How many things a complaint names before it only counts the rest."""


@frozen
class Check:
    """One thing that must hold.

    Attributes:
        name: One word, for people.
        complaint: Returns what is wrong, or None when nothing is.
        required: Whether a complaint makes the verdict bad; otherwise it is only told.
    """

    name: str
    complaint: Callable[[], str | None]
    required: bool = True


@frozen
class Finding:
    """What one check said."""

    name: str
    complaint: str | None
    required: bool = True

    @property
    def failed(self) -> bool:
        """Whether it makes the verdict bad."""
        return self.required and self.complaint is not None

    def __str__(self) -> str:
        mark = "+" if self.complaint is None else "-" if self.required else " "
        return f"[{mark}]{self.name} {self.complaint or 'ok'}"


@frozen
class Verdict:
    """What all checks said."""

    findings: tuple[Finding, ...]

    @property
    def good(self) -> bool:
        """Whether no required check failed."""
        return not any(finding.failed for finding in self.findings)

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings))


def judge(checks: Iterable[Check]) -> Verdict:
    """Ask every check; one that raises has failed."""
    return Verdict(tuple(map(_ask, checks)))


def _ask(check: Check) -> Finding:
    try:
        complaint = check.complaint()
    except Exception as error:  # noqa: BLE001 - a broken check must not take the server down
        complaint = f"could not be checked: {type(error).__name__}: {error}"
    return Finding(check.name, complaint, check.required)


@frozen
class InformerState:
    """How one informer is.

    Attributes:
        name: Resource and namespace, e.g. `flinkdeployments in team-a`.
        synced: Whether its cache is complete, or waiting for that would be of no use.
        detail: What is unusual about it, its last error for example; empty when all is well.
    """

    name: str
    synced: bool
    detail: str = ""


Informers = Callable[[], Iterable[InformerState]]


def started(has_started: Callable[[], bool]) -> Check:
    """Check that the start-up came to its end (operations.md 3.2, second rule)."""
    return Check("started", lambda: None if has_started() else "still starting")


def synced(informers: Informers) -> Check:
    """Check that every informer's cache is complete."""

    def complaint() -> str | None:
        missing = [_described(informer) for informer in informers() if not informer.synced]
        return f"not in step: {_enumerate(missing)}" if missing else None

    return Check("synced", complaint)


def limited(informers: Informers) -> Check:
    """Tell which informers cannot see everything although they count as in step."""

    def complaint() -> str | None:
        return (
            _enumerate(_described(each) for each in informers() if each.synced and each.detail)
            or None
        )

    return Check("limited", complaint, required=False)


def leading(is_leading: Callable[[], bool]) -> Check:
    """Tell who leads; a standby is as well as a leader."""
    return Check("leading", lambda: None if is_leading() else "standing by", required=False)


@define
class Regression:
    """Checks that no informer got worse since the start-up (operations.md 3.2, first rule).

    Informers that were unhealthy at the end of the start-up are tolerated until they recover; after
    that they count as the others do. If none is healthy at all, that is a failure, counted over all
    informers (trap 39). Before `start_watching` nothing is a failure: a long first list is no reason
    for a restart.
    """

    informers: Informers
    _tolerated: frozenset[str] | None = field(default=None, init=False)

    def start_watching(self) -> None:
        """Take the present state as the one to compare with; call it when the start-up is done."""
        self._tolerated = frozenset(each.name for each in self.informers() if not each.synced)

    def check(self) -> Check:
        """Return the check."""
        return Check("informers", self._complaint)

    def _complaint(self) -> str | None:
        if self._tolerated is None:
            return None
        known = list(self.informers())
        unhealthy = {informer.name: informer for informer in known if not informer.synced}
        if known and len(unhealthy) == len(known):
            return f"no informer works: {_enumerate(map(_described, unhealthy.values()))}"
        worse = unhealthy.keys() - self._tolerated
        if worse:
            names = sorted(worse)
            return f"stopped working: {_enumerate(_described(unhealthy[name]) for name in names)}"
        self._tolerated = frozenset(unhealthy)
        return None


def _described(informer: InformerState) -> str:
    return f"{informer.name} ({informer.detail})" if informer.detail else informer.name


def _enumerate(items: Iterable[str]) -> str:
    listed = list(items)
    more = len(listed) - MOST_NAMED
    return ", ".join(listed[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
