"""The operator is killed at random moments of upgrades; the job notices nothing of it."""

import os
import random
import time

import pytest
from fakes.programs import pause
from fakes.realflink import Operator, jobs_of, restored, stateful, wait_checkpoint
from fakes.realplace import RealPlace

UPGRADES = 10
LONGEST = 25.0
"""Seconds within which an upgrade is done on an idle machine: any moment of it may be hit."""


@pytest.mark.timeout(3600)
def test_ten_upgrades_whose_operator_is_killed(place: RealPlace, operator: Operator) -> None:
    """Savepoint and last-state upgrades by turns: one job at a time, the count exact after each."""
    seed = int(os.environ.get("FLINKOP_REAL_SEED") or time.time_ns() % 10**6)
    print(f"FLINKOP_REAL_SEED={seed}")
    chance = random.Random(seed)  # noqa: S311 - a place in time, no secret
    cluster = place.stable(stateful("savepoint"))
    for upgrade in range(1, UPGRADES + 1):
        mode = chance.choice(["savepoint", "last-state"])
        place.wait_counting(cluster, upgrade)
        wait_checkpoint(cluster)
        generation = cluster.change(restartNonce=upgrade, job={"upgradeMode": mode})
        moment = chance.uniform(0, LONGEST)
        pause(moment)
        print(f"upgrade {upgrade} ({mode}): killed after {moment:.1f} s")
        operator.kill()
        operator.start()
        cluster.wait_stable(generation)
        ledger = place.wait_counting(cluster, upgrade + 1)
        if restored(cluster)["is_savepoint"]:
            assert ledger.repeated()[-1] == 0
        (job,) = jobs_of(cluster)
        assert job["id"] == cluster.status["jobStatus"]["jobId"]
    cluster.delete()
    cluster.wait_nothing_left()
