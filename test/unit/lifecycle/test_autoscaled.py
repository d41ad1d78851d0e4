"""What an autoscaler decided stays, as long as the user wants it scaled."""

import pytest
from attrs import evolve
from fakes.deployments import application, session

from flinkop.api.common import Resource, ResourceRequirements, TaskManagerSpec
from flinkop.config.errors import ConfigError
from flinkop.config.flink_conf import FlinkConf
from flinkop.lifecycle import autoscaled, specdiff

OVERRIDES = "pipeline.jobvertex-parallelism-overrides"
ON = {"job.autoscaler.enabled": "true"}
TUNING = {**ON, "job.autoscaler.memory.tuning.enabled": "true"}
SCALED = {OVERRIDES: "a:4,b:2"}
TUNED = {
    "taskmanager.memory.process.size": "700 mb",
    "taskmanager.memory.framework.heap.size": "0 bytes",
    "taskmanager.memory.managed.fraction": "0.0",
}


def spec(configuration, task_manager=None):
    return evolve(application(flink_configuration=configuration), task_manager=task_manager)


def kept(mine, recorded):
    return autoscaled.kept(mine, recorded, FlinkConf(mine.flink_configuration))


def test_overrides_stay():
    """The user's spec then asks for nothing new."""
    mine, recorded = spec(ON), spec({**ON, **SCALED})
    assert autoscaled.has_decisions(recorded)
    assert not specdiff.between(recorded, kept(mine, recorded)).changes


def test_what_the_user_changes_besides_counts():
    """Only the autoscaler's own entry is taken over."""
    mine, recorded = spec({**ON, "a": "b"}), spec({**ON, **SCALED})
    [change] = specdiff.between(recorded, kept(mine, recorded)).changes
    assert change.path == "flinkConfiguration.a"


def test_overrides_of_the_user_give_way():
    """As they do where the autoscaler runs."""
    mine, recorded = spec({**ON, OVERRIDES: "a:1"}), spec({**ON, **SCALED})
    assert kept(mine, recorded).flink_configuration[OVERRIDES] == "a:4,b:2"


@pytest.mark.parametrize(
    ("mine", "recorded"),
    [
        (spec({}), spec({**ON, **SCALED})),
        (spec(ON), spec(ON)),
        (spec({**ON, **SCALED}), spec({**ON, **SCALED})),
        (evolve(session(), flink_configuration=ON), spec(SCALED)),
        (spec(ON), spec({**ON, **TUNED})),
        (spec(TUNING), spec({**TUNING, "taskmanager.memory.framework.heap.size": "1m"})),
    ],
    ids=["off", "nothing decided", "the same", "session", "tuning off", "not tuned"],
)
def test_otherwise_the_spec_stays_the_user_s(mine, recorded):
    """The very same object."""
    assert kept(mine, recorded) is mine


def test_an_unreadable_switch_is_an_error():
    """For the validator to tell."""
    with pytest.raises(ConfigError):
        kept(spec({"job.autoscaler.enabled": "maybe"}), spec(SCALED))


def test_nothing_is_decided_in_a_configuration_that_is_no_object():
    """The API server lets any value through."""
    assert not autoscaled.has_decisions(spec("text"))


@pytest.mark.parametrize(
    ("mine", "recorded"),
    [
        (
            TaskManagerSpec(resource=Resource(cpu=1, memory="1g")),
            TaskManagerSpec(resource=Resource(cpu=1, memory="734003200")),
        ),
        (
            TaskManagerSpec(resources=ResourceRequirements(limits={"cpu": "1", "memory": "1g"})),
            TaskManagerSpec(resources=ResourceRequirements(limits={"cpu": "1", "memory": "7"})),
        ),
        (
            TaskManagerSpec(resources=ResourceRequirements(requests={"memory": "1g"})),
            TaskManagerSpec(resources=ResourceRequirements(requests={"memory": "7"})),
        ),
        (None, None),
    ],
)
def test_tuned_memory_stays(mine, recorded):
    """The entries, those that tuning took away, and the TaskManagers' memory."""
    before = spec({**TUNING, "taskmanager.memory.task.heap.size": "1g"}, mine)
    tuned = spec({**TUNING, **TUNED}, recorded)
    assert not specdiff.between(tuned, kept(before, tuned)).changes


def test_other_resources_are_the_user_s():
    """Memory alone is tuned."""
    mine = TaskManagerSpec(resources=ResourceRequirements(requests={"cpu": "2"}))
    theirs = TaskManagerSpec(resources=ResourceRequirements(requests={"cpu": "1", "memory": "7"}))
    found = kept(spec(TUNING, mine), spec({**TUNING, **TUNED}, theirs))
    assert found.task_manager == mine
