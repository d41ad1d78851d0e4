"""FlinkSessionJob: one job on a session cluster."""

from collections.abc import Mapping
from typing import Any

import attrs

from flinkop.api.common import FlinkConfiguration, JobSpec, extra_fields


@attrs.frozen(kw_only=True)
class FlinkSessionJobSpec:
    """Desired state of a job on a session cluster.

    Attributes:
        job: The job. Required.
        restart_nonce: A new value restarts the job, by its upgradeMode.
        flink_configuration: Options of this job, on top of the session cluster's.
        deployment_name: Name of the session cluster's FlinkDeployment in the same namespace. Required, and
            fixed once the job is submitted.
    """

    job: JobSpec | None = None
    restart_nonce: int | None = None
    flink_configuration: FlinkConfiguration = attrs.field(factory=dict)
    deployment_name: str | None = None
    extra: Mapping[str, Any] = extra_fields()
