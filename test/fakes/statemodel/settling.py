"""Where a life ends when crashes, failures and edits stop: at what the user wants, or at words that say why not."""

from collections.abc import Callable
from typing import Final

from fakes.statemodel.operator import look
from fakes.statemodel.world import World

from flinkop.api.common import JobState
from flinkop.api.status import FlinkJobState, LifecycleState, ReconciliationState
from flinkop.controllers.flinkdeployment.planning import steps
from flinkop.flink.states import JobState as State
from flinkop.lifecycle import specdiff
from flinkop.lifecycle.specdiff import DiffType

LOOKS: Final = 40
"""How many looks a life may take to settle: the longest way is a stop that hangs, a rollback, and a TTL."""


def settle(world: World, is_known: Callable[[World], bool] = lambda _: False) -> str | None:
    """Let everything go its way until nothing changes any more; return what is wrong with the end.

    Kubernetes and Flink do their part after each look; time passes when nothing else does. `is_known` says of
    a world that it was found to settle before.
    """
    world.give(None)
    waited = failures = 0
    for _ in range(LOOKS):
        if not waited and not failures and is_known(world):
            return None
        before = _state(world)
        made = look(world)
        if world.released or world.broken:
            return _first_broken(world) if world.broken else None
        process = world.process
        acted = _surroundings(world)
        failures += world.process != process and _failed_at_once(world)
        if failures == 3:
            return None
        if acted or before != _state(world):
            continue
        if made is not None and made.again:
            return f"looks again and again, and changes nothing: {made.reason}"
        wrong = _wrong(world, made)
        if wrong is None:
            return None
        if waited == 2:
            return wrong
        waited += 1
        world.passes("past the readiness timeout")
    return "no end in sight"


def _state(world: World) -> object:
    return (world.status, world.deployment, world.processes, world.metadata.copy(), world.files)


def _first_broken(world: World) -> str:
    return "; ".join(world.broken)


def _failed_at_once(world: World) -> bool:
    job = world.process.job if world.process else None
    return job is not None and job.state is State.FAILED and job.restored is None


def _surroundings(world: World) -> bool:
    """Kubernetes and Flink do what they were asked to, without fault."""
    done = [
        world.goes(),
        world.starts(),
        world.cancel_completes(),
        world.stop_completes(),
        world.job_becomes(State.RUNNING),
    ]
    return any(done)


def _wrong(world: World, made: steps.Made | None) -> str | None:
    """Return why this is no end, None when it is one."""
    if made is None:
        return "the operator starts again for ever"
    blocked = world.deleted and made.stall is not None  # told each time, as in the reference
    if not blocked and any(not _is_said_once(step) for step in made.steps):
        return f"an idle look costs requests: {made.steps}"
    if made.stall is not None:
        return None if made.stall.message else "a stall without words"
    if world.deleted:
        return "the resource is never let go"
    if world.spec.job is not None and world.spec.job.state is JobState.SUSPENDED:
        return _not_suspended(world)
    return _not_running(world)


def _is_said_once(step: steps.Step) -> bool:
    return isinstance(step, steps.Say) and step.draft.once


def _not_suspended(world: World) -> str | None:
    if any(process.runs_a_job for process in world.processes):
        return "a job runs that is to be suspended"
    good = (LifecycleState.SUSPENDED, LifecycleState.CREATED)
    if world.status.lifecycle_state in good:
        return None
    return f"suspended, and called {world.status.lifecycle_state}"


def _not_running(world: World) -> str | None:
    status = world.status
    recon, lifecycle = status.reconciliation_status.state, status.lifecycle_state
    process, deployment = world.process, world.deployment
    ended = status.job_status.state
    if recon is ReconciliationState.ROLLED_BACK:
        return None if lifecycle is LifecycleState.ROLLED_BACK else f"rolled back, and {lifecycle}"
    if recon is not ReconciliationState.DEPLOYED:
        return f"left as {recon}"
    if status.observed_generation != world.generation:
        return f"generation {world.generation} is never observed"
    if ended is not None and ended.is_terminal and (world.ledger.end or world.ledger.over):
        return None  # it has ended by itself, and nobody asked for another
    if deployment is None or process is None:
        return "nothing runs, and nobody says why"
    if _asks_for_more(world, deployment.spec):
        return "another spec runs than is wanted"
    if world.spec.job is None:
        return None if lifecycle is LifecycleState.STABLE else f"answers, and called {lifecycle}"
    job = process.job
    if job is None or job.state is not State.RUNNING:
        return "no job runs, and nobody says why"
    if ended is not FlinkJobState.RUNNING or lifecycle is not LifecycleState.STABLE:
        return f"runs, and the status says {ended}, {lifecycle}"
    return f"error of the past: {status.error}" if status.error else None


def _asks_for_more(world: World, running: object) -> bool:
    assert isinstance(running, type(world.spec))
    found = specdiff.between(running, world.spec)
    return found.type > DiffType.IGNORE
