"""What is tried with crashes in it: a name, what is there before, and deeds one after the other.

After each deed the operator comes to rest and the picture is compared. A crash falls into the deeds, never into
what comes before. A new scenario is an entry in `SCENARIOS`, and a deed in `deeds` if it does something new.
"""

from collections.abc import Mapping

import attrs
from crash.deeds import (
    SILENT,
    STUCK,
    Deed,
    broken,
    changed,
    checkpointed,
    deleted,
    deployed,
    failed,
    redeployed_from_savepoint,
    resumed,
    robbed_of_job_manager,
    saved,
    saved_periodically,
    session_cluster_replaced,
    session_job_changed,
    session_job_deleted,
    session_job_resumed,
    session_job_submitted,
    session_job_suspended,
    suspended,
)
from fakes.flinkuser import HA, app, session

Options = Mapping[str, str]

NOTHING: Options = {}


@attrs.frozen
class Scenario:
    """One way through an operator's work.

    Attributes:
        name: short, without colon.
        deeds: what happens while operators are killed.
        before: what happens before that.
        keeps_state: whether each run of the job has to begin with all the state there is.
        options: configuration of the operator.
        vague: what differs from run to run (see `picture.picture`).
        quick: whether it is part of a quick run.
    """

    name: str
    deeds: tuple[Deed, ...]
    before: tuple[Deed, ...] = ()
    keeps_state: bool = False
    options: Options = NOTHING
    vague: tuple[str, ...] = ()
    quick: bool = False


PLAIN = app()
HIGHLY_AVAILABLE = app(flinkConfiguration=HA)
FROM_SAVEPOINT = app(
    job={"initialSavepointPath": "file:///data/savepoints/savepoint-of-old"},
    flinkConfiguration={"flinksim.unknown_savepoint": "accept"},
)
SESSION = session()
HIGHLY_AVAILABLE_SESSION = session(flinkConfiguration=HA)
WIDER = changed(job={"parallelism": 4})


_PREFIX = "kubernetes.operator."
_STATE = {
    **HA,
    "execution.checkpointing.interval": "1 s",
    "state.checkpoints.dir": "file:///data/checkpoints",
    "state.savepoints.dir": "file:///data/savepoints",
    f"{_PREFIX}snapshot.resource.enabled": "false",
}


def stateful(mode: str, **conf: str) -> tuple[Deed, ...]:
    """Return what comes before: an application with state, and a checkpoint of it."""
    spec = app(job={"upgradeMode": mode}, flinkConfiguration={**_STATE, **conf})
    return (deployed(spec), checkpointed())


def keeping(
    name: str,
    *deeds: Deed,
    before: tuple[Deed, ...],
    options: Options = NOTHING,
    vague: tuple[str, ...] = (),
    quick: bool = False,
) -> Scenario:
    """Return a scenario in which no state may be lost."""
    return Scenario(
        name, deeds, before, keeps_state=True, options=options, vague=vague, quick=quick
    )


_SAVEPOINT, _LAST_STATE = stateful("savepoint"), stateful("last-state")
_BY_CANCEL = stateful(
    "last-state", **{f"{_PREFIX}job.upgrade.last-state.job-cancel.enabled": "true"}
)
_SNAPSHOTS = stateful("savepoint", **{f"{_PREFIX}snapshot.resource.enabled": "true"})
_ROLLBACK = {
    f"{_PREFIX}deployment.rollback.enabled": "true",
    f"{_PREFIX}deployment.readiness.timeout": "3 s",
}
_ON_DELETION = {f"{_PREFIX}job.savepoint-on-deletion": "true"}
_RESTARTED = {f"{_PREFIX}job.restart.failed": "true"}
_STANDALONE = (deployed(app(mode="standalone")),)
_SESSION_JOB = (deployed(SESSION), session_job_submitted())


def session_job(mode: str) -> tuple[Deed, ...]:
    """Return what comes before: a session cluster with HA metadata, a job with state on it, a checkpoint of that."""
    cluster = session(flinkConfiguration=_STATE)
    return (deployed(cluster), session_job_submitted(upgradeMode=mode), checkpointed())


_BROADER = session_job_changed(job={"parallelism": 2})

_SESSION_JOBS = (
    Scenario("session-job-submit", (session_job_submitted(),), (deployed(SESSION),), quick=True),
    Scenario("session-job-upgrade", (_BROADER,), _SESSION_JOB),
    Scenario("session-job-delete", (session_job_deleted(),), _SESSION_JOB, quick=True),
    keeping("session-job-savepoint-upgrade", _BROADER, before=session_job("savepoint"), quick=True),
    keeping("session-job-last-state-upgrade", _BROADER, before=session_job("last-state")),
    keeping(
        "session-job-suspend-resume",
        session_job_suspended(),
        session_job_resumed(),
        before=session_job("savepoint"),
    ),
    keeping("session-job-recover", session_cluster_replaced(), before=session_job("savepoint")),
)
_CLUSTER_INFO = ("FlinkDeployment/status/clusterInfo",)
"""How many TaskManagers a session cluster has when it is looked at depends on its jobs."""

SCENARIOS = (
    Scenario("first-deploy", (deployed(PLAIN),)),
    Scenario("first-deploy-ha", (deployed(HIGHLY_AVAILABLE),), quick=True),
    Scenario("first-deploy-from-savepoint", (deployed(FROM_SAVEPOINT),), keeps_state=True),
    Scenario("upgrade", (WIDER,), (deployed(PLAIN),), quick=True),
    Scenario("upgrade-ha", (WIDER,), (deployed(HIGHLY_AVAILABLE),)),
    Scenario("suspend-resume", (suspended(), resumed()), (deployed(PLAIN),), quick=True),
    Scenario("recover", (robbed_of_job_manager(),), (deployed(PLAIN),), quick=True),
    Scenario("delete", (deleted(),), (deployed(PLAIN),), quick=True),
    Scenario("delete-ha", (deleted(),), (deployed(HIGHLY_AVAILABLE),)),
    Scenario("session-deploy", (deployed(SESSION),)),
    Scenario("session-change", (changed(restartNonce=1),), (deployed(SESSION),), quick=True),
    Scenario("session-recover", (robbed_of_job_manager(),), (deployed(HIGHLY_AVAILABLE_SESSION),)),
    Scenario("session-delete", (deleted(),), (deployed(SESSION),)),
    keeping("savepoint-upgrade", WIDER, before=_SAVEPOINT, quick=True),
    keeping("savepoint-upgrade-snapshots", WIDER, before=_SNAPSHOTS),
    keeping("savepoint-suspend-resume", suspended(), resumed(), before=_SAVEPOINT),
    keeping("savepoint-rollback", broken(**STUCK), before=stateful("savepoint", **_ROLLBACK)),
    keeping("savepoint-on-deletion", deleted(), before=stateful("savepoint", **_ON_DELETION)),
    keeping("savepoint-by-nonce", saved(1), before=_SAVEPOINT),
    keeping(
        "savepoint-periodic",
        saved_periodically(),
        before=_SAVEPOINT,
        vague=("Savepoints", "FlinkDeployment/status/jobStatus/savepointInfo"),
    ),
    # The savepoint is older than the state that is given up for it: on purpose.
    Scenario("savepoint-redeploy", (redeployed_from_savepoint(),), (*_SAVEPOINT, saved(1))),
    keeping("last-state-upgrade", WIDER, before=_LAST_STATE, quick=True),
    keeping("last-state-upgrade-by-cancel", WIDER, before=_BY_CANCEL),
    keeping("last-state-suspend-resume", suspended(), resumed(), before=_LAST_STATE),
    keeping("last-state-recover", robbed_of_job_manager(), before=_LAST_STATE),
    keeping(
        "last-state-rollback",
        broken(**SILENT),
        before=stateful("last-state", **_ROLLBACK),
        quick=True,
    ),
    keeping(
        "restart-failed",
        failed(),
        before=stateful("savepoint", **_RESTARTED),
        options={f"{_PREFIX}reconcile.interval": "2 s"},
    ),
    *(attrs.evolve(one, vague=_CLUSTER_INFO) for one in _SESSION_JOBS),
    Scenario("standalone-deploy", _STANDALONE),
    Scenario("standalone-upgrade", (WIDER,), _STANDALONE),
    Scenario("standalone-delete", (deleted(),), _STANDALONE),
)
"""What `make crash` tries."""
