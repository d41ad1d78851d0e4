"""ConfigMaps of a cluster: Flink's configuration and the TaskManagers' pod template (1.10, 3.2, 4.6)."""

from collections.abc import Mapping, Sequence
from typing import Any

from flinkop.api.flink_version import FlinkVersion
from flinkop.builders import yamltext
from flinkop.builders.errors import BuildError
from flinkop.builders.identity import ClusterIdentity, common_labels
from flinkop.config import flat_file, flink_options as opt, standard_file
from flinkop.config.flink_conf import FlinkConf

LOG_FILES = ("logback-console.xml", "log4j-console.properties")
"""Log files that clusters know, in the order in which the volume lists them."""
POD_TEMPLATE_FILE = "taskmanager-pod-template.yaml"

_NEVER_SENT = frozenset(
    (
        "kubernetes.config.file",
        "$internal.deployment.config-dir",
        "rest.bind-address",
        "jobmanager.bind-host",
        "taskmanager.bind-host",
        "taskmanager.host",
    )
)


def shipped_log_files(
    from_spec: Mapping[str, str] | None, defaults: Mapping[str, str]
) -> dict[str, str]:
    """Return the log files of a cluster: those of the spec alone if it has any map, else the defaults."""
    source = defaults if from_spec is None else from_spec
    return {name: source[name] for name in LOG_FILES if name in source}


def flink_config(
    identity: ClusterIdentity,
    kind: str,
    version: FlinkVersion,
    conf: FlinkConf,
    *,
    log_files: Mapping[str, str],
    program_args: Sequence[str] | None,
) -> tuple[dict[str, Any], list[str], list[str]]:
    """Return the ConfigMap with Flink's configuration, its file names in mount order, and warnings.

    Args:
        identity: The cluster.
        kind: NATIVE or STANDALONE.
        version: Decides the file's name and syntax: `config.yaml` from 2.0 on.
        conf: Everything the cluster gets to see.
        log_files: What `shipped_log_files` gave.
        program_args: Arguments of an application.

    Raises:
        BuildError: from 2.0 on, a key is the prefix of another.
    """
    entries = {key: value for key, value in conf.entries.items() if key not in _NEVER_SENT}
    warnings = []
    if version.is_at_least(2, 0):
        name, text = standard_file.NAME, _standard(entries, program_args)
    else:
        name, text = flat_file.NAME, flat_file.render(entries, sorted(entries))
        warnings = [
            f"{flat_file.NAME} of Flink {version.release} cannot carry the value of '{key}': {reason}. "
            "Change the value, or use Flink 2.0 or later."
            for key, reason in flat_file.damage(entries)
        ]
    data = {**log_files, name: text}
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": identity.config_map,
            "labels": common_labels(identity.name, kind),
        },
        "data": data,
    }
    return body, list(data), warnings


def _standard(entries: dict[str, str], program_args: Sequence[str] | None) -> str:
    overlap = standard_file.overlap(sorted(entries))
    if overlap is not None:
        shorter, longer = overlap
        raise BuildError(
            f"Overlapping key prefixes detected ({shorter} -> {longer}), please replace with Flink v2 "
            "compatible, non-deprecated keys."
        )
    lists = {} if program_args is None else {opt.PROGRAM_ARGS.key: program_args}
    return standard_file.render(entries, lists)


def pod_template(identity: ClusterIdentity, kind: str, template: dict[str, Any]) -> dict[str, Any]:
    """Return the ConfigMap from which the JobManager takes the TaskManagers' template (native)."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": identity.pod_template_map,
            "labels": common_labels(identity.name, kind),
        },
        "data": {POD_TEMPLATE_FILE: yamltext.dump(template)},
    }
