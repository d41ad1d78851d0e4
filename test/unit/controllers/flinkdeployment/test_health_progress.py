"""How the job's health gets into the status, and when it does not."""

from attrs import evolve
from fakes.deployments import NOW, NOW_MS, answered, application, job, job_manager, status_of

from flinkop.controllers.flinkdeployment import health_progress
from flinkop.controllers.flinkdeployment.assessed import Assessed, Subject
from flinkop.controllers.flinkdeployment.observation import Observation
from flinkop.lifecycle import cluster_health
from flinkop.lifecycle.cluster_health import HealthRules, Observed
from flinkop.stages.cluster_options import ClusterOptions

APP = application()
RULES = HealthRules(restarts_window_ms=120_000, restarts_threshold=3, progress_window_ms=900_000)


def assess(status, *, restarts=0, completed=0, after=0, memory=None, rules=RULES):
    """Look at a job `after` milliseconds from now."""
    seen = Observed(NOW_MS + after, restarts, completed)
    facts = Observation(job_manager=job_manager(), rest=answered(job(), health=seen))
    options = ClusterOptions(health=rules)
    subject = Subject(status, facts, APP, NOW, options=options, health=memory)
    return health_progress.assess(Assessed(status), subject)


def stored(found):
    """Return the record in the status."""
    return cluster_health.decode(found.status.cluster_info.get(cluster_health.KEY))


def test_the_first_look_is_written_down():
    """O-80: healthy, with what is compared with later."""
    found = assess(status_of(APP), restarts=2)
    assert stored(found) == found.health
    assert found.health.health_result.healthy
    assert found.health.num_restarts == 2


def test_a_healthy_job_costs_no_write():
    """New checkpoints are remembered by the process, not written each minute."""
    first = assess(status_of(APP))
    second = assess(first.status, completed=6, after=60_000, memory=first.health)
    assert second.status is first.status
    assert second.health.num_completed_checkpoints == 6


def test_too_many_restarts_are_written_down():
    """O-82."""
    first = assess(status_of(APP))
    bad = assess(first.status, restarts=4, after=60_000, memory=first.health)
    assert stored(bad).health_result.healthy is False
    assert "Restart count hit threshold: 3" in stored(bad).health_result.error


def test_no_progress_is_seen_although_progress_is_not_written():
    """O-83: the process knows when the last checkpoint came; the next process begins to wait anew."""
    rules = evolve(RULES, progress_window_ms=100_000)
    first = assess(status_of(APP), rules=rules)
    some = assess(first.status, completed=9, after=60_000, memory=first.health, rules=rules)
    late = assess(some.status, completed=9, after=170_000, memory=some.health, rules=rules)
    assert stored(late).health_result.healthy is False
    restarted = assess(some.status, completed=9, after=170_000, rules=rules)
    assert restarted.health.health_result.healthy


def test_a_dropped_record_is_not_brought_back_from_memory():
    """O-85: a new deployment begins with a clean sheet."""
    first = assess(status_of(APP))
    bad = assess(first.status, restarts=9, after=60_000, memory=first.health)
    anew = assess(status_of(APP), restarts=9, after=120_000, memory=bad.health)
    assert anew.health.health_result.healthy


def test_nobody_asks():
    """Without the option nothing is judged or remembered."""
    found = assess(status_of(APP), restarts=99, rules=None)
    assert found == Assessed(status_of(APP))
