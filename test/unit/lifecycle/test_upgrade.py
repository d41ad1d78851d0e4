"""The upgrade decision against a table of all rules, row by row and in every combination of facts.

The table is written down from behaviour.md 3.4 as rows of conditions, first match wins; the product of all
facts, some hundred thousand situations, has to come to the same answer.
"""

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from attrs import evolve

from flinkop.api.common import UpgradeMode
from flinkop.api.status import FlinkJobState as Job, JobManagerDeploymentStatus as JobManager
from flinkop.lifecycle import upgrade
from flinkop.lifecycle.upgrade import (
    LAST_STATE_PATH,
    Available,
    Checkpoints,
    ClusterFacts,
    Facts,
    Impossible,
    NotNow,
    Question,
    Suspend,
)

STATELESS, SAVEPOINT, LAST_STATE = (
    UpgradeMode.STATELESS,
    UpgradeMode.SAVEPOINT,
    UpgradeMode.LAST_STATE,
)
NOW = 1_000_000_000
AGE = dt.timedelta(minutes=10)
OLD, YOUNG = NOW - 3_600_000, NOW - 60_000

Case = Callable[[Facts], bool]


def ended(it: Facts) -> bool:
    return it.job in (Job.FINISHED, Job.FAILED, Job.CANCELED)


def running(it: Facts) -> bool:
    return it.job is Job.RUNNING and it.accessible


def cancellable(it: Facts) -> bool:
    return it.accessible and not ended(it) and it.job not in (None, Job.RECONCILING)


def c(it: Facts) -> bool:
    """The abbreviation of behaviour.md."""
    return cancellable(it) and (it.cluster is None or not it.ha_metadata or it.cancel_instead)


def final(it: Facts) -> bool:
    return ended(it) and (it.job is Job.CANCELED or not it.ha_metadata or it.accessible)


def as_last_state(it: Facts) -> bool:
    """Last-state is asked for, or a savepoint that may be replaced by it (U-6)."""
    falls = it.mode is SAVEPOINT and not running(it) and (it.version_changed or it.fallback)
    return it.mode is LAST_STATE or falls


def last_is_recent(it: Facts) -> bool:
    times = it.checkpoints or Checkpoints()
    young = it.started_ms == YOUNG
    return it.max_age is None or young or times.completed_at == YOUNG


def pending_is_recent(it: Facts) -> bool:
    return (it.checkpoints or Checkpoints()).pending_at == YOUNG


TABLE: list[tuple[str, Case, Any]] = [
    ("U-1 ended", lambda it: it.mode is STATELESS and ended(it), (Suspend.NOOP, STATELESS)),
    ("U-1", lambda it: it.mode is STATELESS, (Suspend.STATELESS, STATELESS)),
    ("U-3", lambda it: final(it) and it.path == LAST_STATE_PATH, "impossible"),
    ("U-2", final, (Suspend.NOOP, SAVEPOINT)),
    ("U-4", lambda it: it.job is Job.CANCELLING, "pending"),
    ("U-5", lambda it: it.mode is SAVEPOINT and running(it), (Suspend.SAVEPOINT, SAVEPOINT)),
    ("U-7", lambda it: not as_last_state(it), "waiting"),
    (
        "U-8",
        lambda it: it.version_changed and running(it) and it.savepoint_directory,
        (Suspend.SAVEPOINT, SAVEPOINT),
    ),
    ("U-9", lambda it: it.version_changed and cancellable(it), (Suspend.CANCEL, SAVEPOINT)),
    ("U-10", lambda it: it.version_changed, "waiting"),
    (
        "U-11, U-12 c",
        lambda it: running(it) and last_is_recent(it) and c(it),
        (Suspend.CANCEL, SAVEPOINT),
    ),
    (
        "U-11, U-12",
        lambda it: running(it) and last_is_recent(it),
        (Suspend.LAST_STATE, LAST_STATE),
    ),
    ("U-13", lambda it: running(it) and pending_is_recent(it), "waiting"),
    ("U-14", running, (Suspend.SAVEPOINT, SAVEPOINT)),
    ("U-15", c, (Suspend.CANCEL, SAVEPOINT)),
    ("U-16", lambda _: True, "unavailable"),
]


def expected(it: Facts) -> tuple[str, Any]:
    """Return the rule that applies and what it leads to."""
    rule, answer = next((rule, answer) for rule, case, answer in TABLE if case(it))
    if it.cluster is None or answer not in ("pending", "waiting", "unavailable"):
        return rule, answer
    cluster = it.cluster
    if answer == "unavailable" and cluster.high_availability and it.ha_metadata:
        return "U-20", (Suspend.LAST_STATE, LAST_STATE)
    missing = cluster.job_manager is JobManager.MISSING
    if cluster.never_started and not missing and cluster.recorded_mode is not LAST_STATE:
        again = evolve(
            it, job=Job.FAILED, accessible=False, cluster=evolve(cluster, never_started=False)
        )
        return f"U-21, then {expected(again)[0]}", expected(again)[1]
    if (missing or cluster.job_manager is JobManager.ERROR) and not it.ha_metadata:
        return "U-22", "impossible"
    return rule, answer


def outcome(decision: Any) -> Any:
    """Return a decision in the table's words."""
    match decision:
        case Available(suspend, restore):
            return suspend, restore
        case Impossible():
            return "impossible"
        case NotNow(others=False):
            return "pending"
        case NotNow(fallback=True):
            return "unavailable"
        case NotNow():
            return "waiting"
        case _:
            return decision


CLUSTERS = [
    None,
    *(
        ClusterFacts(job_manager, high_availability, mode, never)
        for job_manager in (JobManager.READY, JobManager.ERROR, JobManager.MISSING)
        for high_availability in (True, False)
        for mode, never in [(SAVEPOINT, False), (SAVEPOINT, True), (LAST_STATE, True)]
    ),
]
TIMES = [
    Checkpoints(completed, pending) for completed in (None, OLD, YOUNG) for pending in (OLD, YOUNG)
]
SPACE: dict[str, list[Any]] = {
    "mode": list(UpgradeMode),
    "job": [
        None,
        Job.RUNNING,
        Job.RESTARTING,
        Job.RECONCILING,
        Job.CANCELLING,
        Job.CANCELED,
        Job.FAILED,
    ],
    "accessible": [True, False],
    "path": [None, LAST_STATE_PATH],
    "version_changed": [True, False],
    "savepoint_directory": [True, False],
    "fallback": [True, False],
    "cancel_instead": [True, False],
    "ha_metadata": [True, False],
    "cluster": CLUSTERS,
}
AGES: list[dict[str, Any]] = [
    {"max_age": None},
    *(
        {"max_age": AGE, "started_ms": start, "checkpoints": times}
        for start in (OLD, YOUNG)
        for times in TIMES
    ),
]


def test_every_combination_of_facts_has_the_answer_of_the_table():
    """All rules, all facts; and no row of the table is idle."""
    used: Counter[str] = Counter()
    for values in itertools.product(*SPACE.values()):
        known = dict(zip(SPACE, values, strict=True))
        busy = known["job"] is Job.RUNNING and known["mode"] is LAST_STATE
        for ages in AGES if busy else AGES[:1]:
            it = Facts(now_ms=NOW, **known, **ages)
            rule, answer = expected(it)
            used[rule.split(",", 1)[0]] += 1
            assert outcome(upgrade.decide(it)) == answer, f"{rule}: {it}"
    rows = {rule.split(",", 1)[0] for rule, *_ in TABLE} | {"U-20", "U-21", "U-22"}
    assert rows == set(used)


def test_a_job_with_state_is_never_decided_to_start_empty():
    """Whatever is known: only stateless restores nothing."""
    for values in itertools.product(*SPACE.values()):
        it = Facts(now_ms=NOW, **dict(zip(SPACE, values, strict=True)))
        decision = upgrade.decide(it)
        if isinstance(decision, Available) and it.mode is not STATELESS:
            assert decision.restore is not STATELESS
            assert decision.suspend is not Suspend.STATELESS


@pytest.mark.parametrize("unknown", ["ha_metadata", "checkpoints"])
def test_a_fact_that_costs_a_request_is_asked_for_only_when_it_decides(unknown):
    """What is not asked for makes no difference."""
    asked = {"ha_metadata": Question.HA_METADATA, "checkpoints": Question.CHECKPOINTS}[unknown]
    choices: dict[str, list[Any]] = {"ha_metadata": [True, False], "checkpoints": [*TIMES]}
    space = {name: values for name, values in SPACE.items() if name != unknown}
    seen: Counter[bool] = Counter()
    for values in itertools.product(*space.values()):
        known = dict(zip(space, values, strict=True))
        it = Facts(now_ms=NOW, started_ms=OLD, max_age=AGE, **known)
        decision = upgrade.decide(it)
        seen[decision is asked] += 1
        if isinstance(decision, Question):
            assert decision in (asked, Question.HA_METADATA, Question.CHECKPOINTS)
            continue
        for answer in choices[unknown]:
            assert outcome(upgrade.decide(evolve(it, **{unknown: answer}))) == outcome(decision)
    assert seen[True]
    assert seen[False]


def test_reasons_are_for_people():
    """Each decision says why, in a few words."""
    for mode, job in itertools.product(UpgradeMode, [None, Job.RUNNING, Job.FAILED]):
        decision = upgrade.decide(Facts(mode, job, True, NOW, ha_metadata=False))
        assert not isinstance(decision, Question)
        text = decision.message if isinstance(decision, Impossible) else decision.reason
        assert len(text.split()) > 2


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (
            {"job": Job.FAILED, "path": LAST_STATE_PATH, "accessible": True},
            "last checkpoint is unknown",
        ),
        (
            {"job": Job.RECONCILING, "cluster": ClusterFacts(JobManager.MISSING)},
            "HA metadata is not available to make stateful upgrades. It is possible that the job has finished",
        ),
    ],
)
def test_what_is_impossible_is_told_in_the_words_that_clients_know(facts, words):
    """lifecycleState FAILED depends on them (behaviour.md 0.5, Q-27)."""
    base = Facts(SAVEPOINT, None, False, NOW, ha_metadata=False)
    decision = upgrade.decide(evolve(base, **facts))
    assert isinstance(decision, Impossible)
    assert words in decision.message
    assert decision.reason == "UpgradeFailed"


def test_all_facts_are_in_the_space():
    """A new fact has to be added to the table, too."""
    others = {"now_ms", "started_ms", "max_age", "checkpoints"}
    assert {field.name for field in attrs.fields(Facts)} == set(SPACE) | others
