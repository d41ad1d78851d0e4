"""What must hold before objects are built (`kubernetes-objects.md` 0); a failure builds nothing."""

from flinkop.api.common import JobSpec
from flinkop.builders import memory
from flinkop.builders.effective_conf import is_ha
from flinkop.builders.errors import BuildError
from flinkop.builders.identity import ClusterIdentity
from flinkop.config import flink_options as opt
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.option import Option

MAX_CLUSTER_ID = 45

_PYTHON_MAINS = frozenset(
    (
        "org.apache.flink.client.python.PythonDriver",
        "org.apache.flink.client.python.PythonGatewayServer",
    )
)
_PYTHON_ARGS = frozenset(("-py", "-pym", "--python", "--pyModule"))
_JM_FACTORS = (opt.JM_CPU_LIMIT_FACTOR, opt.JM_MEMORY_LIMIT_FACTOR)
_TM_FACTORS = (opt.TM_CPU_LIMIT_FACTOR, opt.TM_MEMORY_LIMIT_FACTOR)


def check_identity(identity: ClusterIdentity) -> None:
    """Refuse names that Flink or Kubernetes cannot take."""
    if not identity.name.strip():
        raise BuildError("kubernetes.cluster-id must not be blank. Give the resource a name.")
    if len(identity.name) > MAX_CLUSTER_ID:
        raise BuildError(
            f"kubernetes.cluster-id must be no more than {MAX_CLUSTER_ID} characters, and "
            f"'{identity.name}' has {len(identity.name)}. Give the resource a shorter name."
        )
    if not identity.namespace.strip():
        raise BuildError("The namespace is blank. Create the resource in a namespace.")


def check_conf(conf: FlinkConf, *, native: bool) -> None:
    """Refuse settings that cannot run: replicas, limit factors, ports, memory."""
    replicas = conf.get(opt.JM_REPLICAS)
    if replicas < 1:
        raise BuildError(
            f"'{opt.JM_REPLICAS.key}' should not be configured less than one, and it is {replicas}. "
            "Set spec.jobManager.replicas to 1 or more."
        )
    ha = is_ha(conf)
    if replicas > 1 and not ha:
        raise BuildError(
            "High availability should be enabled when starting standby JobManagers. "
            f"Set {opt.HA_TYPE.key}, or spec.jobManager.replicas: 1."
        )
    for factor in (*_JM_FACTORS, *_TM_FACTORS) if native else _JM_FACTORS:
        if conf.get(factor) < 1:
            raise BuildError(
                f"{factor.key} should be greater or equal to 1, and it is {conf.get(factor)}. "
                "A limit cannot be lower than its request."
            )
    for port in (opt.BLOB_PORT, opt.TASKMANAGER_RPC_PORT, opt.REST_BIND_PORT):
        fixed_port(conf, port)
    if ha:
        fixed_port(conf, opt.HA_JOBMANAGER_PORT)
    if not native and conf.get(opt.TM_REPLICAS) < 1:
        raise BuildError(
            f"'{opt.TM_REPLICAS.key}' should not be configured less than 1. "
            "Set spec.taskManager.replicas to 1 or more."
        )


def check_jar(conf: FlinkConf, job: JobSpec) -> None:
    """Refuse a native application without exactly one jar, unless it is in Python."""
    jars = conf.get(opt.PIPELINE_JARS)
    if len(jars) == 1 or (not jars and is_python(job)):
        return
    if not jars:
        raise BuildError(
            "The job has no jar. Set spec.job.jarURI, such as local:///opt/flink/usrlib/job.jar."
        )
    raise BuildError(f"Should only have one jar, and {opt.PIPELINE_JARS.key} lists {len(jars)}.")


def is_python(job: JobSpec) -> bool:
    """Tell whether a job is written in Python (section 0)."""
    return job.entry_class in _PYTHON_MAINS or not _PYTHON_ARGS.isdisjoint(job.args)


def check_taskmanager_memory(conf: FlinkConf, *, unlimited_network: bool) -> None:
    """Refuse memory settings with which no TaskManager would start, before a JobManager runs for nothing."""
    memory.taskmanager(conf, unlimited_network=unlimited_network)


def fixed_port(conf: FlinkConf, option: Option[str]) -> int:
    """Return a port that is a single number.

    Raises:
        BuildError: it is a range or a list.
    """
    text = conf.get(option)
    try:
        return int(text)
    except ValueError:
        raise BuildError(
            f"{option.key} should be specified to a fixed port. Do not support a range of ports, "
            f"such as '{text}'."
        ) from None
