"""A cluster's life: created by kwokctl, used through its kubeconfig, deleted with all it made."""

import base64
import json
import os
import subprocess
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hack.clusters import kwokconfig, nodes, paths, ports, processes, records, toolset
from hack.clusters.apiserver import ApiServer
from hack.clusters.components import Components
from hack.clusters.errors import ControlPlaneError
from hack.clusters.processes import Process
from hack.clusters.progress import Progress
from hack.clusters.records import Record
from hack.clusters.toolset import Toolset

_ATTEMPTS = 4
_START_SECONDS = 120


class ControlPlane:
    """A running control plane: etcd, API server, controller manager, scheduler and kwok.

    Everything here blocks; call it from a thread where an event loop runs. A cluster ends with
    `delete()`, or is collected by the next run once the process it lives for is gone.
    """

    def __init__(self, record: Record, tools: Toolset) -> None:
        self._record = record
        self._tools = tools
        self._directory = Path(record.workdir) / "clusters" / record.name
        self.components = Components(self._directory)
        self.api = ApiServer(self.server, self._directory / "pki")

    @classmethod
    def create(
        cls,
        name: str | None = None,
        *,
        nodes: int = 2,
        owner: Process | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Start a cluster and wait until it takes pods.

        Args:
            name: of the cluster; made from the process id when None.
            nodes: how many, each for a thousand pods.
            owner: the process it lives for, this one by default.
            progress: where to tell what happens; silent by default, except for a build.

        Raises:
            ControlPlaneError: no tools, a cluster of that name lives, or it did not start.
        """
        tools = toolset.ready(progress)
        records.collect()
        for attempt in range(1, _ATTEMPTS + 1):
            plane = cls(_reserve(name, owner or processes.current()), tools)
            try:
                plane._start(nodes)
            except BaseException as error:
                clashed = plane._port_was_taken()
                plane.delete()
                if not (isinstance(error, ControlPlaneError) and clashed and attempt < _ATTEMPTS):
                    raise
            else:
                return plane
        raise AssertionError

    @classmethod
    def attach(cls, name: str) -> Self:
        """The running cluster of that name, made by another process."""
        record = records.read(name)
        if not record:
            raise ControlPlaneError(f"no cluster {name}: see `python3 hack/controlplane.py list`")
        return cls(record, toolset.ready())

    @property
    def name(self) -> str:
        """Of the cluster."""
        return self._record.name

    @property
    def server(self) -> str:
        """URL of the API server; stays the same over its restarts."""
        return f"https://127.0.0.1:{self._record.ports['api']}"

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig file of a cluster-admin (client certificate)."""
        return self._directory / "kubeconfig.yaml"

    @property
    def kubectl_path(self) -> str:
        """A kubectl that fits the API server."""
        return self._tools.path("kubectl")

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl as cluster-admin; returns what it printed.

        Raises:
            ControlPlaneError: it failed; the message is what it said.
        """
        command = [self.kubectl_path, "--kubeconfig", str(self.kubeconfig), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ControlPlaneError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def create_namespace(self, name: str) -> None:
        """Create a namespace and wait for its default service account, which pods need."""
        self.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
        self.api.wait_for(f"/api/v1/namespaces/{name}/serviceaccounts/default", 30)

    def delete_namespace(self, name: str) -> None:
        """Ask for the end of a namespace; does not wait for it."""
        self.api.delete(f"/api/v1/namespaces/{name}")

    def add_nodes(self, count: int) -> None:
        """Have at least `count` nodes, all of them ready for pods."""
        nodes.create(self.api, count)
        nodes.wait_ready(self.api, _START_SECONDS)

    def stop_component(self, name: str, *, kill: bool = False) -> None:
        """End one process (`kube-apiserver`, `etcd`, ...) and wait until it is gone."""
        self.components.stop(name, kill=kill)

    def start_component(self, name: str) -> None:
        """Start it again on the same port; returns when the API server is ready."""
        self.components.start(name)
        if self.components.running("kube-apiserver") and self.components.running("etcd"):
            self.api.wait_for("/readyz", _START_SECONDS)

    def kubeconfig_for(self, service_account: str, namespace: str, seconds: int = 3600) -> Path:
        """A kubeconfig file with a token of a service account, valid for `seconds`."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}/token"
        asked = self.api.request("POST", path, {"spec": {"expirationSeconds": seconds}})
        file = self._directory / f"{namespace}.{service_account}.kubeconfig"
        content = _kubeconfig(self.server, self.api.ca_file, namespace, asked["status"]["token"])
        file.touch(mode=0o600)
        file.write_text(json.dumps(content, indent=1))
        return file

    def keep(self) -> None:
        """Let the cluster outlive this process; `hack/controlplane.py down NAME` ends it."""
        self._record = self._record.keep()

    def delete(self) -> None:
        """End all its processes and delete all its files; more than once is fine."""
        if (self._directory / "kwok.yaml").exists():
            self._kwokctl("delete", "cluster", check=False)
        self._record.erase()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.delete()

    def _start(self, count: int) -> None:
        config = Path(self._record.workdir) / "kwokctl.yaml"
        config.write_text(kwokconfig.render(self._tools, kwokconfig.Ports(**self._record.ports)))
        self._kwokctl("create", "cluster", "--config", str(config))
        try:
            self.api.wait_for("/readyz", _START_SECONDS)
            self.api.wait_for("/api/v1/namespaces/default/serviceaccounts/default", _START_SECONDS)
            self.add_nodes(count)
        except ControlPlaneError as error:
            raise ControlPlaneError(f"{error}\n{self.components.complaints()}") from error

    def _kwokctl(self, verb: str, noun: str, *arguments: str, check: bool = True) -> None:
        command = [self._tools.path("kwokctl"), verb, noun, "--name", self.name]
        # Empty: the user's own kubeconfig is none of our business.
        command += ["--kubeconfig", "", *arguments]
        own = {"KWOK_WORKDIR": self._record.workdir, "PATH": os.environ.get("PATH", "")}
        kept = {key: value for key, value in os.environ.items() if not key.startswith("KWOK_")}
        done = subprocess.run(
            command,
            cwd=self._record.workdir,
            env={**kept, **own},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        if check and done.returncode:
            raise ControlPlaneError(
                f"kwokctl {verb} {noun} failed:\n{done.stderr.strip()[-2000:]}\n"
                f"{self.components.complaints()}"
            )

    def _port_was_taken(self) -> bool:
        return "address already in use" in self.components.complaints()


def _reserve(name: str | None, owner: Process) -> Record:
    """Choose a name, ports and a directory, and write them down before anything is started."""
    with records.registry_lock():
        known = {record.name: record for record in records.all_records()}
        if name in known:
            raise ControlPlaneError(
                f"a cluster {name} lives already: `python3 hack/controlplane.py down {name}`"
            )
        chosen = records.check_name(name) if name else _unused_name(set(known))
        taken = {port for record in known.values() for port in record.ports.values()}
        numbers = kwokconfig.Ports(*ports.free(6, taken))
        record = Record(chosen, str(paths.new_workdir(chosen)), asdict(numbers), owner)
        record.save()
    return record


def _unused_name(known: set[str]) -> str:
    count = 0
    while f"t{os.getpid()}-{count}" in known:
        count += 1
    return f"t{os.getpid()}-{count}"


def _kubeconfig(server: str, ca_file: Path, namespace: str, token: str) -> dict[str, Any]:
    authority = base64.b64encode(ca_file.read_bytes()).decode()
    cluster = {"server": server, "certificate-authority-data": authority}
    context = {"cluster": "c", "user": "u", "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "c", "context": context}],
        "current-context": "c",
    }
