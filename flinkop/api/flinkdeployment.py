"""FlinkDeployment: a Flink cluster with one job (application) or for many (session)."""

from collections.abc import Mapping

import attrs

from flinkop.api.common import (
    AbstractSpec,
    IngressSpec,
    JobManagerSpec,
    KubernetesDeploymentMode,
    PodTemplate,
    TaskManagerSpec,
)
from flinkop.api.flink_version import FlinkVersion


@attrs.frozen(kw_only=True)
class FlinkDeploymentSpec(AbstractSpec):
    """Desired state of a Flink cluster: an application cluster when it has a job, else a session cluster.

    Attributes:
        job: The job of an application cluster. Absent for a session cluster.
        restart_nonce: A new value restarts the cluster, by the job's upgradeMode.
        flink_configuration: Flink and operator options, as dotted keys, nested objects, or both.
        image: Container image of JobManagers and TaskManagers.
        image_pull_policy: When the image is pulled, one of IfNotPresent, Always and Never.
        service_account: Service account of the pods. Required.
        flink_version: Flink minor version of the image. Required.
        ingress: How the web interface is reached from outside the cluster.
        pod_template: Pod template for JobManagers and TaskManagers. Only metadata and spec count.
        job_manager: Settings of the JobManager.
        task_manager: Settings of the TaskManagers.
        log_configuration: Logging configuration, file name to content. Allowed are
            log4j-console.properties and logback-console.xml; together they replace the defaults.
        mode: Who creates TaskManagers, Flink itself (native) or the operator (standalone). Default native,
            and fixed once the cluster is deployed.
    """

    image: str | None = None
    image_pull_policy: str | None = None
    service_account: str | None = None
    flink_version: FlinkVersion | None = None
    ingress: IngressSpec | None = None
    pod_template: PodTemplate | None = None
    job_manager: JobManagerSpec | None = None
    task_manager: TaskManagerSpec | None = None
    log_configuration: Mapping[str, str] | None = None
    mode: KubernetesDeploymentMode | None = None

    @property
    def effective_mode(self) -> KubernetesDeploymentMode:
        """The mode in force: native when absent."""
        return self.mode or KubernetesDeploymentMode.NATIVE
