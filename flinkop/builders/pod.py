"""A pod under construction: a template of ours, to which settings are added in a fixed order.

Order is part of the contract (`kubernetes-objects.md` 1.2): lists are appended to, and what comes last wins.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from flinkop.builders.errors import BuildError
from flinkop.builders.identity import MAIN_CONTAINER
from flinkop.config import flink_options as opt
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.option import Option
from flinkop.config.values import java_double

T = TypeVar("T")


class Pod:
    """Pod metadata and spec around one main container.

    The template given becomes part of the result: hand in a copy, as `podtemplate.merge` makes.

    Attributes:
        metadata: The pod's metadata.
        spec: The pod's spec, less the main container until `finish`.
        main: The main container.
    """

    def __init__(self, template: dict[str, Any]) -> None:
        """Take the template apart into the main container and the rest."""
        self.metadata: dict[str, Any] = template.get("metadata", {})
        self.spec: dict[str, Any] = template.get("spec", {})
        containers = self.spec.pop("containers", [])
        self.main: dict[str, Any] = {}
        self._others = []
        for container in containers:
            if container.get("name") == MAIN_CONTAINER and not self.main:
                self.main = container
            else:
                self._others.append(container)
        self.main["name"] = MAIN_CONTAINER

    def label(self, labels: Mapping[str, str], annotations: Mapping[str, str]) -> None:
        """Lay labels and annotations over those of the template."""
        self.metadata["labels"] = {**self.metadata.get("labels", {}), **labels}
        if annotations:
            self.metadata["annotations"] = {**self.metadata.get("annotations", {}), **annotations}

    def add_volume(self, name: str, source: Mapping[str, Any]) -> None:
        """Add a volume to the pod."""
        self.spec.setdefault("volumes", []).append({"name": name, **source})

    def mount(self, volume: str, path: str, sub_path: str | None = None) -> None:
        """Mount a volume into the main container."""
        mount = {"name": volume, "mountPath": path}
        if sub_path is not None:
            mount["subPath"] = sub_path
        self.main.setdefault("volumeMounts", []).append(mount)

    def add_env(self, name: str, value: str) -> None:
        """Add an environment variable to the main container."""
        self.main.setdefault("env", []).append({"name": name, "value": value})

    def add_env_from(self, name: str, source: Mapping[str, Any]) -> None:
        """Add an environment variable whose value comes from elsewhere."""
        self.main.setdefault("env", []).append({"name": name, "valueFrom": source})

    def add_port(self, name: str, port: int) -> None:
        """Add a port to the main container."""
        self.main.setdefault("ports", []).append({"name": name, "containerPort": port})

    def use_resources(
        self, memory_mi: int, memory_factor: float, cores: float, cpu_factor: float
    ) -> None:
        """Set requests and limits of memory and CPU (1.6)."""
        resources = self.main.setdefault("resources", {})
        requests = resources.setdefault("requests", {})
        requests["memory"] = f"{memory_mi}Mi"
        requests["cpu"] = java_double(cores)
        limits = resources.setdefault("limits", {})
        limits["memory"] = f"{int(memory_mi * memory_factor)}Mi"
        limits["cpu"] = java_double(cores * cpu_factor)

    def finish(self) -> dict[str, Any]:
        """Return the pod template, the main container last."""
        self.spec["containers"] = [*self._others, self.main]
        return {"metadata": self.metadata, "spec": self.spec}


def resolve(conf: FlinkConf, option: Option[T], from_template: Any) -> Any:
    """Return the configured value if there is one, else the template's, else the default (3.3)."""
    if from_template and not conf.has(option):
        return from_template
    return conf.get(option)


def use_service_account(pod: Pod, conf: FlinkConf, option: Option[str]) -> None:
    """Set the service account, the template's when none is configured, under both names it has."""
    spec = pod.spec
    account = spec.get("serviceAccount") or spec.get("serviceAccountName")
    spec["serviceAccount"] = spec["serviceAccountName"] = resolve(conf, option, account)


def use_scheduling(
    pod: Pod,
    conf: FlinkConf,
    node_selector: Option[Mapping[str, str]],
    tolerations: Option[tuple[Mapping[str, str], ...]],
) -> None:
    """Add pull secrets, node selector and tolerations to those of the template (1.4)."""
    spec = pod.spec
    secrets = [{"name": name} for name in map(str.strip, conf.get(opt.PULL_SECRETS)) if name]
    if secrets:
        spec["imagePullSecrets"] = [*spec.get("imagePullSecrets", []), *secrets]
    selector = conf.get(node_selector)
    if selector:
        spec["nodeSelector"] = {**spec.get("nodeSelector", {}), **selector}
    tolerated = [_toleration(entries) for entries in conf.get(tolerations)]
    if tolerated:
        spec["tolerations"] = [*spec.get("tolerations", []), *tolerated]


_TOLERATION_KEYS = {
    name.lower(): name for name in ("key", "operator", "value", "effect", "tolerationSeconds")
}


def _toleration(entries: Mapping[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in entries.items():
        name = _TOLERATION_KEYS.get(key.lower())
        if name == "tolerationSeconds":
            try:
                made[name] = int(value)
            except ValueError:
                raise BuildError(
                    f"tolerationSeconds '{value}' is not a whole number. Write seconds as digits."
                ) from None
        elif name is not None:
            made[name] = value
    return made


def use_image(pod: Pod, conf: FlinkConf) -> None:
    """Set image and pull policy of the main container.

    Without any image the default is that of Flink 1.20's client, whatever `flinkVersion` says, as in the
    reference (1.5).
    """
    pod.main["image"] = resolve(conf, opt.IMAGE, pod.main.get("image"))
    policy = resolve(conf, opt.PULL_POLICY, pod.main.get("imagePullPolicy"))
    pod.main["imagePullPolicy"] = str(policy)
    if not str(pod.main["image"]).strip():
        raise BuildError("The image is blank. Set spec.image.")


def add_log_dir(pod: Pod, conf: FlinkConf) -> None:
    """Say where logs go, if that is configured."""
    directory = conf.get(opt.LOG_DIR)
    if directory is not None:
        pod.add_env("FLINK_LOG_DIR", directory)


def add_secrets_env(pod: Pod, conf: FlinkConf) -> None:
    """Add the environment that is taken from Secrets (1.5)."""
    for entry in conf.get(opt.SECRET_ENV):
        missing = [name for name in ("env", "secret", "key") if name not in entry]
        if missing:
            raise BuildError(
                f"An entry of {opt.SECRET_ENV.key} has no '{missing[0]}'. "
                "Write env:NAME,secret:SECRET,key:KEY entries, separated by ';'."
            )
        pod.add_env_from(
            entry["env"], {"secretKeyRef": {"name": entry["secret"], "key": entry["key"]}}
        )


def mount_secrets(pod: Pod, conf: FlinkConf) -> None:
    """Mount the Secrets of `kubernetes.secrets` (1.5)."""
    for secret, path in conf.get(opt.SECRETS).items():
        volume = f"{secret}-volume"
        pod.add_volume(volume, {"secret": {"secretName": secret}})
        pod.mount(volume, path)
