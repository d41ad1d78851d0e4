"""What the image's entry point is told to run (`kubernetes-objects.md` 1.5, 6.1, 6.4)."""

from collections.abc import Sequence

from flinkop.api.common import JobSpec
from flinkop.api.flink_version import FlinkVersion
from flinkop.builders.effective_conf import is_ha
from flinkop.config import flink_options as opt
from flinkop.config.flink_conf import FlinkConf

TASKMANAGER = ("taskmanager",)

_POD_ADDRESS = "$(_POD_IP_ADDRESS)"
_LONG_OPTIONS = (
    "--allowNonRestoredState",
    "--claimMode",
    "--configDir",
    "--executionMode",
    "--fromSavepoint",
    "--host",
    "--jars",
    "--job-classname",
    "--job-id",
    "--restoreMode",
    "--webui-port",
)
"""What `standalone-job` takes for itself, in any version; the beginning of a name is enough for it."""


def native(conf: FlinkConf) -> list[str]:
    """Return a native JobManager's arguments; the command line ends with a blank when there are no more."""
    target = conf.get(opt.EXECUTION_TARGET)
    return ["bash", "-c", f"kubernetes-jobmanager.sh {target} {conf.get(opt.JM_ENTRYPOINT_ARGS)}"]


def standalone(conf: FlinkConf, version: FlinkVersion, job: JobSpec | None) -> list[str]:
    """Return a standalone JobManager's arguments.

    With HA each JobManager is reached by the address of its pod. The job's id is in the configuration.
    """
    ha = is_ha(conf)
    if job is None:
        if ha and not version.is_at_least(1, 15):
            return ["jobmanager", _POD_ADDRESS]  # the script knows a host there, and no -D
        return ["jobmanager", *_reached_by_pod(ha=ha)]
    args = ["standalone-job"]
    main = conf.get(opt.APPLICATION_MAIN)
    if main is not None:
        args += ["--job-classname", main]
    if conf.get(opt.IGNORE_UNCLAIMED_STATE):
        args.append("--allowNonRestoredState")
    savepoint = conf.get(opt.SAVEPOINT_PATH)
    if savepoint is not None:
        args += ["--fromSavepoint", savepoint]
    return [*args, *_reached_by_pod(ha=ha), *_for_the_job(job.args)]


def _reached_by_pod(*, ha: bool) -> list[str]:
    return ["-D", f"jobmanager.rpc.address={_POD_ADDRESS}"] if ha else []


def _for_the_job(args: Sequence[str]) -> list[str]:
    """Keep the entry point from taking the job's first arguments for its own (trap 22).

    It stops at the first word that it does not know, or at `--`, which it drops.
    """
    first = args[0].partition("=")[0] if args else ""
    short = first.startswith("-") and not first.startswith("--")
    long = first.startswith("--") and any(one.startswith(first) for one in _LONG_OPTIONS)
    return ["--", *args] if short or long else list(args)
