"""Answers about checkpoints, as Flink of each version shapes them."""

from typing import Any

from flinksim.checkpointing import INTERVAL_OFF, Checkpoints, Record
from flinksim.job import Job
from flinksim.settings import RETAIN
from flinksim.shapes_job import ms

_SUMMARIES = (
    "state_size",
    "end_to_end_duration",
    "alignment_buffered",
    "processed_data",
    "persisted_data",
)
_QUANTILES = ("p50", "p90", "p95", "p99", "p999")


def statistics(job: Job) -> dict[str, Any]:
    found = job.checkpoints
    done = [one for one in found.history if one.status == "COMPLETED" and one.snapshot is not None]
    sizes = [one.snapshot.counter for one in done if one.snapshot]
    durations = [ms((one.completed or one.triggered) - one.triggered) for one in done]
    names = (
        _SUMMARIES if job.host.settings.version < (1, 15) else ("checkpointed_size", *_SUMMARIES)
    )
    values = {
        "checkpointed_size": sizes,
        "state_size": sizes,
        "end_to_end_duration": durations,
        "alignment_buffered": [0],  # Flink no longer measures it and always says zero
    }
    return {
        "counts": found.counts,
        "summary": {name: _summary(values.get(name, [0] if done else [])) for name in names},
        "latest": {
            "completed": _maybe(job, found.completed),
            "savepoint": _maybe(job, found.savepoint),
            "failed": _maybe(job, found.failed),
            "restored": _restored(found),
        },
        "history": [record(job, one) for one in found.history],
    }


def _summary(values: list[int]) -> dict[str, Any]:
    if not values:
        return {"min": 0, "max": 0, "avg": 0} | dict.fromkeys(_QUANTILES, "NaN")
    ordered = sorted(values)
    body: dict[str, Any] = {
        "min": ordered[0],
        "max": ordered[-1],
        "avg": sum(ordered) // len(ordered),
    }
    return body | dict.fromkeys(_QUANTILES, ordered[len(ordered) // 2])


def _maybe(job: Job, one: Record | None) -> dict[str, Any] | None:
    return None if one is None else record(job, one)


def record(job: Job, one: Record) -> dict[str, Any]:
    version = job.host.settings.version
    size = one.snapshot.counter if one.snapshot else 0
    ended = one.completed or one.triggered
    body: dict[str, Any] = {
        "className": one.status.lower(),
        "id": one.number,
        "status": one.status,
        "is_savepoint": one.is_savepoint,
    }
    if version >= (1, 16):
        body["savepointFormat"] = one.format
    body |= {"trigger_timestamp": ms(one.triggered), "latest_ack_timestamp": ms(one.completed)}
    if version >= (1, 15):
        body["checkpointed_size"] = size
    body |= {
        "state_size": size,
        "end_to_end_duration": ms(ended - one.triggered),
        "alignment_buffered": 0,
        "processed_data": 0,
        "persisted_data": 0,
        "num_subtasks": job.task_total,
        "num_acknowledged_subtasks": 0 if one.status == "IN_PROGRESS" else job.task_total,
        "checkpoint_type": "SAVEPOINT" if one.is_savepoint else "CHECKPOINT",
        "tasks": {},
    }
    if one.status == "COMPLETED" and one.snapshot is not None:
        body |= {"external_path": one.snapshot.path, "discarded": one.discarded}
    if one.status == "FAILED":
        body |= {"failure_timestamp": ms(ended), "failure_message": one.failure}
    return body


def _restored(found: Checkpoints) -> dict[str, Any] | None:
    if found.restored is None:
        return None
    snapshot = found.restored.snapshot
    return {
        "id": snapshot.number,
        "restore_timestamp": ms(found.restored.at),
        "is_savepoint": snapshot.is_savepoint,
        "external_path": snapshot.path,
    }


def config(job: Job) -> dict[str, Any]:
    settings = job.host.settings
    interval = settings.checkpoint_interval
    return {
        "mode": "exactly_once" if interval else "at_least_once",
        "interval": int(interval * 1000) if interval else INTERVAL_OFF,
        "timeout": int(settings.checkpoint_timeout * 1000),
        "min_pause": 0,
        "max_concurrent": 1,
        "externalization": {
            "enabled": settings.retention is not None,
            "delete_on_cancellation": settings.retention is not None
            and settings.retention != RETAIN,
        },
        "state_backend": "HashMapStateBackend",
        "checkpoint_storage": "FileSystemCheckpointStorage"
        if settings.checkpoint_dir
        else "JobManagerCheckpointStorage",
        "unaligned_checkpoints": False,
        "tolerable_failed_checkpoints": 0,
        "aligned_checkpoint_timeout": 0,
        "checkpoints_after_tasks_finish": settings.version >= (1, 15),
        "state_changelog_enabled": False,
        "changelog_periodic_materialization_interval": 600000,
        "changelog_storage": "memory",
    }
