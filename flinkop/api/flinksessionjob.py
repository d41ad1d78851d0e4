"""FlinkSessionJob: one job on a session cluster."""

import attrs

from flinkop.api.common import AbstractSpec


@attrs.frozen(kw_only=True)
class FlinkSessionJobSpec(AbstractSpec):
    """Desired state of a job on a session cluster.

    Attributes:
        job: The job. Required.
        restart_nonce: A new value restarts the job, by its upgradeMode.
        flink_configuration: Options of this job, on top of the session cluster's.
        deployment_name: Name of the session cluster's FlinkDeployment in the same namespace. Required, and
            fixed once the job is submitted.
    """

    deployment_name: str | None = None
