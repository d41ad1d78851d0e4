"""What `make crash` says: each point that failed, a line per scenario, and the closing line."""

from collections.abc import Iterable

from crash.campaign import Tally
from crash.trial import Outcome


def failure(outcome: Outcome) -> str:
    """Return what is wrong after a crash and how to try just that one again."""
    where = f"killed at {outcome.crash}" if outcome.crash else "without any crash"
    lines = [f"FAILED: {outcome.scenario}, {where}"]
    if outcome.caught:
        lines.append(f"the write: {outcome.caught}")
    lines += [f"lost: {run}" for run in outcome.lost]
    lines += [f"doubled: {runs}" for runs in outcome.doubled]
    lines += outcome.complaints
    lines.append(f"logs: {outcome.logs}")
    if outcome.crash:
        lines.append(f"again: make crash POINT='{outcome.crash}'")
    else:
        lines.append(f"again: make crash ARGS='--scenario {outcome.scenario}'")
    return "\n  ".join("\n".join(lines).splitlines())


def table(tallies: Iterable[Tally]) -> str:
    """Return a line per scenario: kills, failed runs, points that no run came to."""
    lines = [
        f"{'scenario':<28} {'points':>6} {'failed':>6} {'not reached':>11} {'seconds each':>12}"
    ]
    for tally in tallies:
        count, kills = len(tally.outcomes), sum(one.kills for one in tally.outcomes)
        each = sum(one.seconds for one in tally.outcomes) / count if count else 0.0
        lines.append(
            f"{tally.scenario.name:<28} {kills:6} {len(tally.bad):6} {len(tally.unreached):11} {each:12.1f}"
        )
    return "\n".join(lines)


def closing(tallies: Iterable[Tally]) -> str:
    """Return the last line: how often an operator was killed, how many runs lost state or had a job twice at once."""
    outcomes = [one for tally in tallies for one in (*tally.undisturbed, *tally.outcomes)]
    points = sum(one.kills for one in outcomes)
    lost = sum(bool(one.lost) for one in outcomes)
    doubled = sum(bool(one.doubled) for one in outcomes)
    return f"crash points: {points}, lost: {lost}, doubled: {doubled}"


def is_good(tallies: Iterable[Tally]) -> bool:
    """Whether every point ended as the undisturbed run, and there were any."""
    known = list(tallies)
    return bool(known) and all(tally.outcomes and not tally.bad for tally in known)
