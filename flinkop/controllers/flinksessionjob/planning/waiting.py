"""A session cluster that is not there, or not ready: what is said of it, and that it is waited for; pure.

A watch tells of its coming, so that nothing has to be asked meanwhile.
"""

from attrs import evolve

from flinkop.controllers.flinksessionjob.planning.situation import Situation
from flinkop.controllers.flinksessionjob.planning.steps import Made, Step
from flinkop.controllers.jobs.facts import Rest
from flinkop.controllers.jobs.steps import Plan, Say, Wait
from flinkop.events import reasons
from flinkop.events.draft import warning
from flinkop.lifecycle import record
from flinkop.lifecycle.state import Note

# The first words are the reference's, which has nothing to say of a cluster but its version.
_NO_VERSION = "Flink version null is not supported by this operator version"


def for_cluster(at: Situation) -> Made | None:
    """Return the plan to wait for the session cluster; None when it can be worked with."""
    cluster, name = at.observation.cluster, at.cluster_name
    if cluster is None and not at.observation.cluster_known:
        return Plan(
            "FlinkDeployments are not known yet", at.status, wait=Wait.PROGRESS, silent=True
        )
    if cluster is None:
        text = (
            f"FlinkDeployment {name}, whose session cluster the job is for, does not exist; "
            "the job goes on as soon as it does"
        )
        return _wait(at, Note("SessionClusterMissing", text), _missing(at, text))
    if not cluster.up:
        text = (
            f"session cluster {name} is not ready, its JobManager is {cluster.state.value}; "
            "the job goes on as soon as it is"
        )
        return _wait(at, Note("SessionClusterNotReady", text))
    if not cluster.takes_jobs and record.last_reconciled(at.status) is None:
        text = f"session cluster {name} is being deleted, so no job is started on it"
        return _wait(at, Note("SessionClusterGoing", text))
    return None


def for_answer(at: Situation) -> Made | None:
    """Return the plan to wait for the JobManager's answer; None when it answered."""
    if at.rest.state is Rest.ANSWERED:
        return None
    text = f"the JobManager of session cluster {at.cluster_name} does not answer: {at.rest.detail}"
    made = _wait(at, Note("SessionClusterSilent", text))
    return evolve(made, wait=Wait.PROBE)


def _wait(at: Situation, note: Note, said: tuple[Step, ...] = ()) -> Made:
    return Plan(note.message, at.status, said, note=note)


def _missing(at: Situation, text: str) -> tuple[Step, ...]:
    """L-40: told once per generation."""
    draft = warning(
        reasons.UNSUPPORTED_FLINK_VERSION,
        reasons.OPERATOR,
        f"{_NO_VERSION}: {text}",
        key=f"NoSessionCluster: {at.generation}",
        once=True,
    )
    return (Say(draft),)
