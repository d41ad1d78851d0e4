"""Volumes with configuration, and the objects behind Hadoop's and Kerberos' (`kubernetes-objects.md` 1.8, 1.10)."""

import base64
import posixpath
from collections.abc import Iterable
from typing import Any

from flinkop.builders.errors import BuildError
from flinkop.builders.pod import Pod
from flinkop.config import flink_options as opt
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.local_files import HADOOP_FILES, LocalFiles

CONFIG_VOLUME = "flink-config-volume"
KEYTAB_DIR = "/opt/kerberos/kerberos-keytab"

_HADOOP_DIR = "/opt/hadoop/conf"
_KRB5_PATH = "/etc/krb5.conf"


def items(names: Iterable[str]) -> list[dict[str, str]]:
    """Return volume items that keep the files' names."""
    return [{"key": name, "path": name} for name in names]


def mount_config(pod: Pod, config_map: str, conf: FlinkConf, files: Iterable[str]) -> None:
    """Mount the ConfigMap with Flink's configuration over the whole conf directory."""
    pod.add_volume(CONFIG_VOLUME, {"configMap": {"name": config_map, "items": items(files)}})
    pod.mount(CONFIG_VOLUME, conf.get(opt.CONF_DIR))


def hadoop_objects(
    name: str, labels: dict[str, str], conf: FlinkConf, local_files: LocalFiles
) -> list[dict[str, Any]]:
    """Return the ConfigMap made from the operator's own Hadoop configuration, if it has one."""
    if _blank(conf.get(opt.HADOOP_CONFIG_MAP)):
        data = {
            file: local_files.hadoop[file] for file in HADOOP_FILES if file in local_files.hadoop
        }
        if data:
            return [
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {"name": f"hadoop-config-{name}", "labels": labels},
                    "data": data,
                }
            ]
    return []


def mount_hadoop(pod: Pod, name: str, conf: FlinkConf, local_files: LocalFiles) -> None:
    """Mount Hadoop's configuration: an existing ConfigMap, else the operator's own files."""
    existing = conf.get(opt.HADOOP_CONFIG_MAP)
    source: dict[str, Any]
    if not _blank(existing):
        source = {"name": existing}
    else:
        found = [file for file in HADOOP_FILES if file in local_files.hadoop]
        if not found:
            return
        source = {"name": f"hadoop-config-{name}", "items": items(found)}
    pod.add_volume("hadoop-config-volume", {"configMap": source})
    pod.mount("hadoop-config-volume", _HADOOP_DIR)
    pod.add_env("HADOOP_CONF_DIR", _HADOOP_DIR)


def keytab_path(conf: FlinkConf) -> str | None:
    """Return the keytab's path in the operator, or None when no keytab is to be shipped."""
    keytab = conf.get(opt.KERBEROS_KEYTAB)
    return None if _blank(keytab) or _blank(conf.get(opt.KERBEROS_PRINCIPAL)) else keytab


def keytab_in_pod(path: str) -> str:
    """Return where a keytab is found inside pods."""
    return f"{KEYTAB_DIR}/{posixpath.basename(path)}"


def kerberos_objects(name: str, conf: FlinkConf, local_files: LocalFiles) -> list[dict[str, Any]]:
    """Return the Secret with the keytab and the ConfigMap with krb5.conf, as far as configured.

    Raises:
        BuildError: the keytab cannot be read in the operator.
    """
    made: list[dict[str, Any]] = []
    keytab = keytab_path(conf)
    if keytab is not None:
        if keytab not in local_files.files:
            raise BuildError(
                f"Kerberos login configuration is invalid: keytab [{keytab}] doesn't exist in the operator, or "
                "its own configuration does not name it. Mount and name it there, or set "
                f"{opt.KERBEROS_MOUNT_ENABLED.key}: false and mount it by pod template."
            )
        content = base64.b64encode(local_files.files[keytab]).decode()
        made.append(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": f"kerberos-keytab-{name}"},
                "data": {posixpath.basename(keytab): content},
            }
        )
    krb5 = conf.get(opt.KERBEROS_CONF)
    if krb5 is not None and not _blank(krb5) and krb5 in local_files.files:
        made.append(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": f"kerberos-krb5conf-{name}"},
                "data": {
                    posixpath.basename(krb5): local_files.files[krb5].decode("utf-8", "replace")
                },
            }
        )
    return made


def mount_kerberos(pod: Pod, name: str, conf: FlinkConf) -> None:
    """Mount keytab and krb5.conf as far as configured."""
    if keytab_path(conf) is not None:
        pod.add_volume(
            "kerberos-keytab-volume", {"secret": {"secretName": f"kerberos-keytab-{name}"}}
        )
        pod.mount("kerberos-keytab-volume", KEYTAB_DIR)
    krb5 = conf.get(opt.KERBEROS_CONF)
    if krb5 is not None and not _blank(krb5):
        source = {
            "name": f"kerberos-krb5conf-{name}",
            "items": [{"key": posixpath.basename(krb5), "path": "krb5.conf"}],
        }
        pod.add_volume("kerberos-krb5conf-volume", {"configMap": source})
        pod.mount("kerberos-krb5conf-volume", _KRB5_PATH, "krb5.conf")


def _blank(text: str | None) -> bool:
    return text is None or not text.strip()
