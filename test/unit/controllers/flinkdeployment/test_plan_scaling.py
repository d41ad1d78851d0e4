"""Overrides of single vertices are carried out in the running job where Flink can do that."""

import pytest
from attrs import evolve
from fakes.deployments import application, situation, status_of, up
from fakes.plans import names, planned, recon, recorded, step

from flinkop.api.status import FlinkJobState, ReconciliationState
from flinkop.controllers.flinkdeployment.planning import steps
from flinkop.controllers.jobs.facts import (
    Rest,
    RestFacts,
)
from flinkop.flink.features import Version
from flinkop.lifecycle.inplace_scaling import Bounds

KEY = "pipeline.jobvertex-parallelism-overrides"
OLD = application(flink_configuration={KEY: "a:2"})
NEW = application(flink_configuration={KEY: "a:4"})
BEFORE = {"overrides": {"a": "2"}, "wanted_overrides": {"a": "4"}, "inplace_scaling": True}


def scaled(spec=NEW, status=None, facts=None, **more):
    """The situation in which overrides were changed."""
    return situation(
        spec, status or status_of(OLD), facts or up(), generation=2, **{**BEFORE, **more}
    )


def test_a_running_job_gets_other_bounds():
    """R-111, R-112: the job stays, the spec counts as deployed, and Flink does the rest."""
    made = planned(scaled())
    assert names(made) == ["SpecChanged", "ScaleJob", "Scaling"]
    assert step(made, steps.ScaleJob).bounds == {"a": Bounds(1, 4), "b": Bounds(2, 2)}
    assert recon(made.status) is ReconciliationState.DEPLOYED
    assert recorded(made.status).spec == NEW
    assert made.status.observed_generation == 2


def test_a_smaller_parallelism_lowers_the_lower_bound():
    """It must not lie above the upper one."""
    made = planned(scaled(wanted_overrides={"b": "1", "a": "2"}))
    assert step(made, steps.ScaleJob).bounds["b"] == Bounds(1, 1)


def test_a_job_that_is_as_wanted_already_is_not_asked_again():
    """T-12: a crash lay between the deed and the word."""
    made = planned(scaled(), requirements={"a": Bounds(1, 4), "b": Bounds(2, 2)})
    assert names(made) == ["SpecChanged"]
    assert recon(made.status) is ReconciliationState.DEPLOYED


@pytest.mark.parametrize(
    "more",
    [
        {"inplace_scaling": False},
        {"overrides": {}},
        {"wanted_overrides": {}},
        {"wanted_overrides": {"b": "4"}},
        {"wanted_overrides": {"a": "many"}},
        {"flink_version": Version(1, 17)},
        {"may_rescale": False},
        {"status": status_of(OLD, job=FlinkJobState.RECONCILING)},
        {"facts": evolve(up(), rest=RestFacts(Rest.ABSENT))},
        {"spec": evolve(NEW, image="other")},
    ],
)
def test_what_cannot_be_scaled_in_place_is_upgraded(more):
    """R-110, R-113: as any other change is."""
    made = planned(scaled(**more))
    assert "ScaleJob" not in names(made)
    assert "WriteAhead" in names(made)


def test_requirements_that_cannot_be_read_lead_to_an_upgrade():
    """R-113."""
    assert "WriteAhead" in names(planned(scaled(), requirements={}))
