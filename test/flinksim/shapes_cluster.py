"""Answers about the cluster, as Flink of each version shapes them."""

from typing import Any

from flinksim.cluster import Cluster
from flinksim.jobmanager import JobManager
from flinksim.settings import Settings

_REVISIONS = {
    (1, 20): ("0980485", "2026-06-08T09:21:06+02:00"),
    (2, 2): ("450c63e", "2026-05-03T10:10:44+02:00"),
}
_OTHER_REVISION = ("5b97f4e", "2025-01-01T00:00:00+01:00")


def _revision(settings: Settings) -> tuple[str, str]:
    return _REVISIONS.get(settings.version, _OTHER_REVISION)


def config(manager: JobManager) -> dict[str, Any]:
    settings = manager.settings
    commit, when = _revision(settings)
    features = {
        "web-submit": not settings.is_application,
        "web-cancel": settings.conf.get("web.cancel.enable", "true") == "true",
        "web-rescale": settings.adaptive and settings.version >= (1, 18),
        "web-history": False,
    }
    if settings.version < (1, 18):
        del features["web-rescale"]
    return {
        "refresh-interval": 3000,
        "timezone-name": "Coordinated Universal Time",
        "timezone-offset": 0,
        "flink-version": settings.full_version,
        "flink-revision": f"{commit} @ {when}",
        "features": features,
    }


def overview(cluster: Cluster, manager: JobManager) -> dict[str, Any]:
    states = [job.state for job in manager.jobs.values()]
    taskmanagers = cluster.taskmanager_count(manager)
    slots = taskmanagers * manager.settings.slots
    used = sum(job.width for job in manager.jobs.values() if job.tasks_running)
    finished = states.count("FINISHED"), states.count("CANCELED"), states.count("FAILED")
    return {
        "taskmanagers": taskmanagers,
        "slots-total": slots,
        "slots-available": max(0, slots - used),
        "jobs-running": len(states) - sum(finished),
        "jobs-finished": finished[0],
        "jobs-cancelled": finished[1],
        "jobs-failed": finished[2],
        "flink-version": manager.settings.full_version,
        "flink-commit": _revision(manager.settings)[0],
    }


def taskmanagers(cluster: Cluster, manager: JobManager, now: float) -> dict[str, Any]:
    count = cluster.taskmanager_count(manager)
    used = sum(job.width for job in manager.jobs.values() if job.tasks_running)
    return {
        "taskmanagers": [
            _taskmanager(
                manager.settings,
                _resource_id(cluster, manager.settings, index),
                used,
                index,
                now,
            )
            for index in range(count)
        ]
    }


def _resource_id(cluster: Cluster, settings: Settings, index: int) -> str:
    if settings.standalone:
        return f"10.244.0.{14 + index}:6122-{index:06x}"
    return f"{settings.name}-taskmanager-{cluster.attempt}-{index + 1}"


def _taskmanager(settings: Settings, pod: str, used: int, index: int, now: float) -> dict[str, Any]:
    taken = min(settings.slots, max(0, used - index * settings.slots))
    free = settings.slots - taken
    cpu = float(settings.conf.get("kubernetes.taskmanager.cpu.amount", "1"))
    whole = {
        "taskHeapMemory": 25,
        "taskOffHeapMemory": 0,
        "managedMemory": 230,
        "networkMemory": 64,
    }
    return {
        "id": pod,
        "path": f"{'akka' if settings.version < (1, 18) else 'pekko'}.tcp://flink@10.244.0.{14 + index}:6122/user/rpc/taskmanager_0",
        "dataPort": 42641,
        "jmxPort": -1,
        "timeSinceLastHeartbeat": int(now * 1000),
        "slotsNumber": settings.slots,
        "freeSlots": free,
        "totalResource": {"cpuCores": cpu} | whole | {"extendedResources": {}},
        "freeResource": {"cpuCores": cpu * free / settings.slots}
        | {key: value * free // settings.slots for key, value in whole.items()}
        | {"extendedResources": {}},
        "hardware": {
            "cpuCores": 2,
            "physicalMemory": 1073741824,
            "freeMemory": 156106752,
            "managedMemory": 241591914,
        },
        "memoryConfiguration": {
            "frameworkHeap": 134217728,
            "taskHeap": 26843542,
            "frameworkOffHeap": 134217728,
            "taskOffHeap": 0,
            "networkMemory": 67108864,
            "managedMemory": 241591914,
            "jvmMetaspace": 268435456,
            "jvmOverhead": 201326592,
            "totalFlinkMemory": 603979776,
            "totalProcessMemory": 1073741824,
        },
    }


def jobmanager_config(manager: JobManager) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in manager.settings.conf.items()]


def jars(manager: JobManager) -> dict[str, Any]:
    return {
        "address": f"http://{manager.settings.name}-rest:8081",
        "files": [
            {
                "id": jar.id,
                "name": jar.name,
                "uploaded": int(jar.uploaded * 1000),
                "entry": [
                    {
                        "name": "org.apache.flink.streaming.examples.statemachine.StateMachineExample",
                        "description": None,
                    }
                ],
            }
            for jar in manager.jars.values()
        ],
    }
