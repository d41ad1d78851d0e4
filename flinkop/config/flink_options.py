"""What the operator reads of Flink's own options, each once, with the names Flink had for it before.

Defaults are those of Flink 1.20, whose client rules hold for all versions (`kubernetes-objects.md` 0, 4.9).
"""

import enum

from flinkop.config.option import Option, Scope, Section

_FLINK = Section(Scope.FLINK)


class ServiceExposure(enum.StrEnum):
    """How the REST Service is reached."""

    CLUSTER_IP = "ClusterIP"
    NODE_PORT = "NodePort"
    LOAD_BALANCER = "LoadBalancer"
    HEADLESS = "Headless_ClusterIP"


class ImagePullPolicy(enum.StrEnum):
    """When an image is pulled."""

    IF_NOT_PRESENT = "IfNotPresent"
    ALWAYS = "Always"
    NEVER = "Never"


# The cluster
EXECUTION_TARGET = _FLINK.optional_text("execution.target", "Kind of cluster the job runs on.")
PARALLELISM = _FLINK.integer("parallelism.default", 1, "Parallelism of the job.")
TASK_SLOTS = _FLINK.integer("taskmanager.numberOfTaskSlots", 1, "Slots of a TaskManager.")
PIPELINE_NAME = _FLINK.optional_text("pipeline.name", "Name of the job.")
PIPELINE_JARS = _FLINK.texts("pipeline.jars", (), "Jar of the application.")
PIPELINE_CLASSPATHS = _FLINK.texts("pipeline.classpaths", (), "User class path.")
PARALLELISM_OVERRIDES = _FLINK.mapping(
    "pipeline.jobvertex-parallelism-overrides", "Parallelism of single vertices."
)
PROGRAM_ARGS = _FLINK.texts(
    "$internal.application.program-args", (), "Arguments of the application."
)
APPLICATION_MAIN = _FLINK.optional_text("$internal.application.main", "Main class.")
JOB_ID = _FLINK.optional_text("$internal.pipeline.job-id", "Job id that the job must get.")
FLINK_VERSION = _FLINK.optional_text("$internal.flink.version", "The spec's flinkVersion.")
SUBMIT_FAILED_JOB = _FLINK.boolean(
    "execution.submit-failed-job-on-application-error",
    False,
    "Keep a failed job visible when the application's main fails.",
)
SCHEDULER = _FLINK.optional_text("jobmanager.scheduler", "Scheduler of jobs, such as adaptive.")
SCHEDULER_MODE = _FLINK.optional_text("scheduler-mode", "Scheduler mode, such as reactive.")
WEB_CANCEL_ENABLED = _FLINK.boolean("web.cancel.enable", True, "Offer cancel in the web interface.")

# Addresses and ports
REST_PORT = _FLINK.integer("rest.port", 8081, "Port of the REST Service.", "web.port")
REST_BIND_PORT = _FLINK.text(
    "rest.bind-port",
    "8081",
    "Port the REST server binds.",
    "rest.port",
    "web.port",
    "jobmanager.web.port",
)
RPC_PORT = _FLINK.integer("jobmanager.rpc.port", 6123, "Port of the JobManager's RPC.")
BLOB_PORT = _FLINK.text("blob.server.port", "0", "Port of the blob server.")
TASKMANAGER_RPC_PORT = _FLINK.text("taskmanager.rpc.port", "0", "Port of a TaskManager's RPC.")

# High availability, snapshots
HA_TYPE = _FLINK.text(
    "high-availability.type",
    "NONE",
    "High-availability services.",
    "recovery.mode",
    "high-availability",
)
HA_CLUSTER_ID = _FLINK.optional_text("high-availability.cluster-id", "Name of the cluster in HA.")
HA_STORAGE_DIR = _FLINK.optional_text(
    "high-availability.storageDir",
    "Where HA metadata is kept.",
    "high-availability.zookeeper.storageDir",
    "recovery.zookeeper.storageDir",
)
HA_JOBMANAGER_PORT = _FLINK.text(
    "high-availability.jobmanager.port",
    "0",
    "RPC port of the JobManager with HA.",
    "recovery.jobmanager.port",
)
HA_ZOOKEEPER_QUORUM = _FLINK.optional_text(
    "high-availability.zookeeper.quorum", "ZooKeeper servers.", "recovery.zookeeper.quorum"
)
HA_ZOOKEEPER_ROOT = _FLINK.text(
    "high-availability.zookeeper.path.root",
    "/flink",
    "Node below which all clusters have theirs.",
    "recovery.zookeeper.path.root",
)
HA_ZOOKEEPER_JOBGRAPHS = _FLINK.text(
    "high-availability.zookeeper.path.jobgraphs",
    "/jobgraphs",
    "Node for job graphs, up to Flink 1.20.",
    "recovery.zookeeper.path.jobgraphs",
)
HA_ZOOKEEPER_EXECUTION_PLANS = _FLINK.text(
    "high-availability.zookeeper.path.execution-plans",
    "/execution-plans",
    "Node for job graphs, from Flink 2.0.",
    "recovery.zookeeper.path.jobgraphs",
    "high-availability.zookeeper.path.jobgraphs",
)
HA_ZOOKEEPER_AUTHORIZATION = _FLINK.mapping(
    "high-availability.zookeeper.client.authorization",
    "Who a client of ZooKeeper says it is: scheme to secret.",
)
CHECKPOINT_DIR = _FLINK.optional_text(
    "execution.checkpointing.dir",
    "Directory of checkpoints.",
    "state.checkpoints.dir",
    "state.backend.fs.checkpointdir",
)
SAVEPOINT_DIR = _FLINK.optional_text(
    "execution.checkpointing.savepoint-dir",
    "Directory of savepoints.",
    "state.savepoints.dir",
    "savepoints.state.backend.fs.dir",
)
CHECKPOINT_INTERVAL = _FLINK.optional_duration(
    "execution.checkpointing.interval", "Interval of checkpoints; absent means none."
)
CHECKPOINT_TIMEOUT = _FLINK.duration(
    "execution.checkpointing.timeout", "10 min", "How long a checkpoint may take."
)
TOLERABLE_CHECKPOINT_FAILURES = _FLINK.integer(
    "execution.checkpointing.tolerable-failed-checkpoints", 0, "Failures before the job fails."
)
RETAINED_CHECKPOINTS = _FLINK.integer(
    "execution.checkpointing.num-retained",
    1,
    "How many completed checkpoints are kept.",
    "state.checkpoints.num-retained",
)
CHECKPOINT_RETENTION = _FLINK.optional_text(
    "execution.checkpointing.externalized-checkpoint-retention",
    "Whether checkpoints outlive the job.",
)
SAVEPOINT_PATH = _FLINK.optional_text("execution.savepoint.path", "What the job restores from.")
STATE_RECOVERY_PATH = _FLINK.optional_text(
    "execution.state-recovery.path", "Newer name of execution.savepoint.path."
)
IGNORE_UNCLAIMED_STATE = _FLINK.boolean(
    "execution.savepoint.ignore-unclaimed-state",
    False,
    "Whether state that no operator claims may be dropped.",
    "execution.state-recovery.ignore-unclaimed-state",
)
JOB_RESULT_STORE_PATH = _FLINK.optional_text(
    "job-result-store.storage-path", "Where results of finished jobs are kept."
)
JOB_RESULT_DELETE_ON_COMMIT = _FLINK.boolean(
    "job-result-store.delete-on-commit", True, "Whether job results vanish once cleaned up."
)

# Names and general settings on Kubernetes
CLUSTER_ID = _FLINK.optional_text("kubernetes.cluster-id", "Name of the cluster.")
NAMESPACE = _FLINK.text("kubernetes.namespace", "default", "Namespace of the cluster.")
IMAGE = _FLINK.text(
    "kubernetes.container.image.ref",
    "apache/flink:1.20.4-scala_2.12",
    "Image of all pods.",
    "kubernetes.container.image",
)
PULL_POLICY = _FLINK.choice(
    "kubernetes.container.image.pull-policy", ImagePullPolicy.IF_NOT_PRESENT, "When it is pulled."
)
PULL_SECRETS = _FLINK.texts("kubernetes.container.image.pull-secrets", (), "Secrets to pull it.")
ENTRY_PATH = _FLINK.text("kubernetes.entry.path", "/docker-entrypoint.sh", "Command of the image.")
CONF_DIR = _FLINK.text("kubernetes.flink.conf.dir", "/opt/flink/conf", "Configuration in the pod.")
LOG_DIR = _FLINK.optional_text("kubernetes.flink.log.dir", "Logs in the pod.")
HOST_NETWORK = _FLINK.boolean("kubernetes.hostnetwork.enabled", False, "Use the node's network.")
SECRETS = _FLINK.mapping("kubernetes.secrets", "Secrets to mount, name to path.")
SECRET_ENV = _FLINK.mappings("kubernetes.env.secretKeyRef", "Environment taken from Secrets.")
HADOOP_CONFIG_MAP = _FLINK.optional_text(
    "kubernetes.hadoop.conf.config-map.name", "Existing ConfigMap with Hadoop's configuration."
)
HADOOP_MOUNT_ENABLED = _FLINK.boolean(
    "kubernetes.decorator.hadoop-conf-mount.enabled", True, "Mount Hadoop's configuration."
)
KERBEROS_MOUNT_ENABLED = _FLINK.boolean(
    "kubernetes.decorator.kerberos-mount.enabled", True, "Mount keytab and krb5.conf."
)
KERBEROS_KEYTAB = _FLINK.optional_text("security.kerberos.login.keytab", "Keytab file.")
KERBEROS_PRINCIPAL = _FLINK.optional_text(
    "security.kerberos.login.principal", "Kerberos principal."
)
KERBEROS_CONF = _FLINK.optional_text("security.kerberos.krb5-conf.path", "krb5.conf file.")
ARTIFACTS_DIR = _FLINK.text(
    "user.artifacts.base-dir", "/opt/flink/artifacts", "Where a JobManager puts fetched jars."
)
REST_EXPOSED_TYPE = _FLINK.choice(
    "kubernetes.rest-service.exposed.type", ServiceExposure.CLUSTER_IP, "Kind of the REST Service."
)
REST_SERVICE_ANNOTATIONS = _FLINK.mapping(
    "kubernetes.rest-service.annotations", "Annotations of the REST Service."
)
INTERNAL_SERVICE_ANNOTATIONS = _FLINK.mapping(
    "kubernetes.internal-service.annotations", "Annotations of the internal Service."
)

# JobManager pods
JM_SERVICE_ACCOUNT = _FLINK.text(
    "kubernetes.jobmanager.service-account",
    "default",
    "Service account of the JobManager.",
    "kubernetes.service-account",
)
JM_REPLICAS = _FLINK.integer("kubernetes.jobmanager.replicas", 1, "JobManager pods.")
JM_CPU = _FLINK.double(
    "kubernetes.jobmanager.cpu.amount", 1.0, "Cores of the JobManager.", "kubernetes.jobmanager.cpu"
)
JM_CPU_LIMIT_FACTOR = _FLINK.double(
    "kubernetes.jobmanager.cpu.limit-factor", 1.0, "Limit / request."
)
JM_MEMORY_LIMIT_FACTOR = _FLINK.double(
    "kubernetes.jobmanager.memory.limit-factor", 1.0, "Limit / request."
)
JM_LABELS = _FLINK.mapping("kubernetes.jobmanager.labels", "Labels of the JobManager.")
JM_ANNOTATIONS = _FLINK.mapping(
    "kubernetes.jobmanager.annotations", "Annotations of the JobManager."
)
JM_NODE_SELECTOR = _FLINK.mapping("kubernetes.jobmanager.node-selector", "Node labels it needs.")
JM_TOLERATIONS = _FLINK.mappings("kubernetes.jobmanager.tolerations", "Taints it tolerates.")
JM_ENTRYPOINT_ARGS = _FLINK.text("kubernetes.jobmanager.entrypoint.args", "", "More arguments.")
JM_OWNER_REFERENCE = _FLINK.mappings(
    "kubernetes.jobmanager.owner.reference", "Owners of the Deployment."
)

# TaskManager pods
TM_SERVICE_ACCOUNT = _FLINK.text(
    "kubernetes.taskmanager.service-account",
    "default",
    "Service account of TaskManagers.",
    "kubernetes.service-account",
)
TM_REPLICAS = _FLINK.integer("kubernetes.internal.taskmanager.replicas", 1, "TaskManager pods.")
TM_CPU = _FLINK.double(
    "kubernetes.taskmanager.cpu.amount",
    -1.0,
    "Cores of a TaskManager; negative means one for each slot.",
    "kubernetes.taskmanager.cpu",
)
TM_CPU_CORES = _FLINK.optional_double("taskmanager.cpu.cores", "Cores of a TaskManager.")
TM_CPU_LIMIT_FACTOR = _FLINK.double(
    "kubernetes.taskmanager.cpu.limit-factor", 1.0, "Limit / request."
)
TM_MEMORY_LIMIT_FACTOR = _FLINK.double(
    "kubernetes.taskmanager.memory.limit-factor", 1.0, "Limit / request."
)
TM_LABELS = _FLINK.mapping("kubernetes.taskmanager.labels", "Labels of TaskManagers.")
TM_ANNOTATIONS = _FLINK.mapping(
    "kubernetes.taskmanager.annotations", "Annotations of TaskManagers."
)
TM_NODE_SELECTOR = _FLINK.mapping("kubernetes.taskmanager.node-selector", "Node labels they need.")
TM_TOLERATIONS = _FLINK.mappings("kubernetes.taskmanager.tolerations", "Taints they tolerate.")
TM_ENTRYPOINT_ARGS = _FLINK.text("kubernetes.taskmanager.entrypoint.args", "", "More arguments.")


def all_options() -> tuple[Option[object], ...]:
    """Return every option of this table, in its order."""
    return tuple(value for value in globals().values() if isinstance(value, Option))
