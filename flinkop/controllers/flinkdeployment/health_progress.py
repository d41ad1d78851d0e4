"""How healthy the job is; pure (behaviour.md 2.9).

The status keeps a record for the next process. It is written when the verdict or the number of restarts
changes, and not for each checkpoint of each job: in between the process remembers (design: no write in an
idle interval).
"""

from attrs import evolve

from flinkop.controllers.flinkdeployment.assessed import Assessed, Subject
from flinkop.lifecycle import cluster_health
from flinkop.lifecycle.cluster_health import HealthRecord


def assess(found: Assessed, subject: Subject) -> Assessed:
    """Return the status with the job's health in it, as far as it was asked about."""
    seen, rules = subject.observation.rest.health, subject.options.health
    if seen is None or rules is None:
        return found
    written = cluster_health.decode(found.status.cluster_info.get(cluster_health.KEY))
    # A record that a deployment has dropped is not brought back from memory (O-85).
    last = (subject.health or written) if written is not None else None
    fresh = cluster_health.judge(last, seen, rules)
    found = evolve(found, health=fresh)
    if written is not None and _says(written) == _says(fresh):
        return found
    info = {**found.status.cluster_info, cluster_health.KEY: fresh.encode()}
    return found.having(evolve(found.status, cluster_info=info))


def _says(known: HealthRecord) -> tuple[int, bool, str]:
    """Return what of a record is worth a write."""
    verdict = known.health_result
    return known.num_restarts, verdict.healthy, verdict.error or ""
