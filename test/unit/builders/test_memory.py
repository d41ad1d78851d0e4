"""Flink's memory model against results of four Flink releases."""

import re

import pytest
from fakes import goldencase

from flinkop.builders import memory
from flinkop.builders.errors import BuildError
from flinkop.config import errors
from flinkop.config.flink_conf import FlinkConf

CASES = [
    pytest.param(release, case, id=f"{release}-{case['name']}")
    for release in ("1.13.6", "1.15.4", "1.20.4", "2.2.0")
    for case in goldencase.load(goldencase.GOLDEN / "memory" / f"{release}.yaml")
]
PARTS = {
    "total_process": "process",
    "total_flink": "flink",
    "heap": "heap",
    "off_heap": "off_heap",
    "metaspace": "metaspace",
    "overhead": "overhead",
    "framework_heap": "framework_heap",
    "framework_off_heap": "framework_off_heap",
    "task_heap": "task_heap",
    "task_off_heap": "task_off_heap",
    "network": "network",
    "managed": "managed",
    "jvm_args": "jvm_args",
}


def options_of(dynamic):
    """Read `-D key=value` pairs, those about memory only."""
    pairs = dict(re.findall(r"-D (\S+?)=(\S+)", dynamic))
    return {key: value for key, value in pairs.items() if ".memory." in key}


@pytest.mark.parametrize(("release", "case"), CASES)
def test_recorded(release, case):
    """Every part, flag and option equals what that release works out, or both refuse."""
    conf = FlinkConf(case["config"])
    unlimited = tuple(map(int, release.split(".")))[:2] >= (1, 17)
    if "jobmanager_error" in case:
        with pytest.raises(BuildError, match="JobManager memory"):
            memory.jobmanager(conf)
    if "taskmanager_error" in case:
        with pytest.raises(BuildError, match="TaskManager memory"):
            memory.taskmanager(conf, unlimited_network=unlimited)
    for role in ("jobmanager", "taskmanager"):
        if role not in case:
            continue
        recorded = case[role]
        made = (
            memory.jobmanager(conf)
            if role == "jobmanager"
            else memory.taskmanager(conf, unlimited_network=unlimited)
        )
        for theirs, ours in PARTS.items():
            if theirs in recorded:
                assert getattr(made, ours) == recorded[theirs], theirs
        assert memory.mebibytes(made.process) == recorded["pod_memory_mi"]
        assert made.dynamic == options_of(recorded["dynamic"])


JM = "jobmanager.memory."
TM = "taskmanager.memory."


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({JM + "heap.size": "1g", JM + "flink.size": "512m"}, "exceeds the Total Flink Memory"),
        (
            {JM + "heap.size": "1g", JM + "flink.size": "2g", JM + "off-heap.size": "128m"},
            "do not add up",
        ),
        ({JM + "flink.size": "100m"}, "leaves no heap"),
        ({JM + "process.size": "300m"}, "exceed the Total Process Memory"),
        ({JM + "flink.size": "1g", JM + "process.size": "1g"}, "for JVM Overhead"),
        ({JM + "process.size": "2g", JM + "jvm-overhead.min": "2g"}, "Swap or drop them"),
    ],
)
def test_impossible_jobmanagers(entries, reason):
    """Parts that do not fit are named with their sizes."""
    with pytest.raises(BuildError, match=reason):
        memory.jobmanager(FlinkConf(entries))


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({TM + "process.size": "4g", TM + "network.min": "2g", TM + "network.max": "1g"}, "Swap"),
        (
            {TM + "task.heap.size": "1g", TM + "managed.size": "1g", TM + "flink.size": "1g"},
            "exceeds the Total Flink Memory",
        ),
        (
            {TM + "flink.size": "4g", TM + "task.heap.size": "1g", TM + "network.max": "100m"},
            "Network Memory",
        ),
    ],
)
def test_impossible_taskmanagers(entries, reason):
    """Parts that do not fit are named with their sizes."""
    with pytest.raises(BuildError, match=reason):
        memory.taskmanager(FlinkConf(entries))


def test_fine_grained_with_total():
    """Task heap and managed memory beside a total leave the rest to the network."""
    conf = FlinkConf(
        {TM + "task.heap.size": "512m", TM + "managed.size": "256m", TM + "flink.size": "1124m"}
    )
    made = memory.taskmanager(conf)
    assert made.network == 100 * 2**20


def test_consistent_heap_and_total():
    """Heap and off-heap that add up to the total are fine; without off-heap it is what is left."""
    conf = FlinkConf(
        {JM + "heap.size": "1g", JM + "flink.size": "1280m", JM + "off-heap.size": "256m"}
    )
    assert memory.jobmanager(conf).off_heap == 256 * 2**20


def test_deprecated_keys():
    """Names of older releases still count."""
    assert memory.jobmanager(FlinkConf({"jobmanager.heap.size": "1g"})).heap == 2**30
    conf = FlinkConf({TM + "process.size": "4g", TM + "size": "512m"})
    assert memory.taskmanager(conf).managed == 512 * 2**20


def test_unreadable_options():
    """A fraction that is no number is named with its key."""
    conf = FlinkConf({JM + "process.size": "2g", JM + "jvm-overhead.fraction": "much"})
    with pytest.raises(errors.ConfigValueError, match=r"jvm-overhead\.fraction"):
        memory.jobmanager(conf)


@pytest.mark.parametrize(
    ("entries", "cores"),
    [
        ({}, 1.0),
        ({"taskmanager.numberOfTaskSlots": "4"}, 4.0),
        ({"kubernetes.taskmanager.cpu": "1.5"}, 1.5),
        ({"kubernetes.taskmanager.cpu.amount": "2", "taskmanager.cpu.cores": "2.5"}, 2.5),
    ],
)
def test_cores(entries, cores):
    """An explicit number of cores, else one for each slot."""
    assert memory.taskmanager_cores(FlinkConf(entries)) == cores
