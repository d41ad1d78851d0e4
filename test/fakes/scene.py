"""The whole scene: a control plane with our CRDs, flinksim beside it, and the operator as a process.

What the demo and the benchmark stand on. Everything ends with the scene; a killed run's remains
are collected by the next, because each process names the cluster's directory in its arguments.
"""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import attrs
from fakes.leanapi import CRS
from fakes.programs import ROOT, Program, free_port, python

from hack.clusters import toolset
from hack.clusters.cluster import ControlPlane
from hack.clusters.progress import Progress

Say = Callable[[str], None]
NOTHING: Mapping[str, str] = {}


@attrs.define
class Scene:
    """What is running.

    Attributes:
        plane: the control plane.
        logs: directory of the programs' log files.
        sim_port: where flinksim serves `/<namespace>/<name>/`.
        operator: the operator's process once it was started.
        health: its base address of /healthz, /readyz and /metrics.
    """

    plane: ControlPlane
    logs: Path
    sim_port: int = attrs.Factory(free_port)
    sim: Program | None = None
    operator: Program | None = None
    health: str = ""

    @property
    def rest_template(self) -> str:
        """Where the operator finds a cluster's REST address."""
        return f"http://127.0.0.1:{self.sim_port}/{{namespace}}/{{name}}/"

    def install_crds(self) -> None:
        """Apply the CRDs and wait until the API server serves them."""
        self.plane.kubectl("apply", "--server-side", "-k", str(ROOT / "manifests" / "crds"))
        for plural in ("flinkdeployments", "flinksessionjobs", "flinkstatesnapshots"):
            self.plane.api.wait_for(f"{CRS}/{plural}", 30)

    def install_job_account(self, namespace: str) -> None:
        """Give jobs in a namespace the service account and role that Flink needs."""
        rendered = self.plane.kubectl("kustomize", str(ROOT / "manifests" / "job"))
        rendered = rendered.replace("namespace: default", f"namespace: {namespace}")
        self.plane.kubectl("apply", "--server-side", "-f", "-", stdin=rendered)

    def start_sim(self, *, pods: bool = False) -> None:
        """Start flinksim and wait until it serves; with `pods` it starts TaskManager pods too."""
        command = python("flinksim", "--kubeconfig", str(self.plane.kubeconfig))
        command += ["--port", str(self.sim_port), "--task-managers", "pods" if pods else "none"]
        self.sim = Program("flinksim", command, self.logs / "flinksim.log")
        self.sim.wait_said("flinksim ready at", 60)

    def start_operator(
        self, *arguments: str, kubeconfig: Path | None = None, options: Mapping[str, str] = NOTHING
    ) -> Program:
        """Start `flinkop run` and wait until it is ready.

        Args:
            arguments: flags.
            kubeconfig: whose rights it has; a cluster-admin's by default.
            options: keys and values of its config.yaml.
        """
        port = free_port()
        jars = {"kubernetes.operator.user.artifacts.base.dir": str(self.logs / "jars")}
        conf = self.configure({**jars, **options})
        command = python("flinkop", "run", "--kubeconfig", str(kubeconfig or self.plane.kubeconfig))
        command += ["--rest-template", self.rest_template, "--log-format", "console"]
        command += ["--health-host", "127.0.0.1", "--health-port", str(port), *arguments]
        log = self.logs / "flinkop.log"
        self.operator = Program("flinkop", command, log, FLINK_CONF_DIR=str(conf))
        self.health = f"http://127.0.0.1:{port}"
        self.operator.wait_answers(f"{self.health}/readyz", 60)
        return self.operator

    def configure(self, options: Mapping[str, str]) -> Path:
        """Write the operator's config.yaml, which a running one follows; return its directory."""
        conf = self.logs / "conf"
        conf.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{key}: {value}\n" for key, value in options.items())
        (conf / "config.yaml").write_text(text)
        return conf

    def stop_operator(self) -> None:
        """End the operator, if it runs."""
        if self.operator:
            self.operator.stop()
        self.operator = None

    def check(self) -> None:
        """Raise when one of the programs has ended."""
        for program in (self.sim, self.operator):
            if program:
                program.check()

    def close(self) -> None:
        """End everything."""
        self.stop_operator()
        if self.sim:
            self.sim.stop(5)
        self.plane.delete()


def fresh_logs(name: str) -> Path:
    """An empty directory for the log files of a run, inside the checkout's cache."""
    logs = ROOT / ".cache" / name
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    return logs


def stage(
    name: str | None,
    logs: Path,
    *,
    nodes: int = 2,
    namespace: str = "default",
    pods: bool = False,
    say: Say = print,
) -> Scene:
    """A scene with CRDs, the jobs' account in `namespace` and flinksim; close it when done.

    `pods` is for flinksim; `say` is told what happens, before it happens. What was started is ended when a step fails.
    """
    say("getting the control plane's programs")
    toolset.ready(Progress())
    say("starting etcd, API server, controller manager, scheduler and kwok")
    scene = Scene(ControlPlane.create(name, nodes=nodes, progress=Progress(quiet=True)), logs)
    try:
        say("installing the CRDs and the service account that Flink uses")
        scene.install_crds()
        if namespace != "default":
            scene.plane.create_namespace(namespace)
        scene.install_job_account(namespace)
        say("starting flinksim, which plays Flink's side")
        scene.start_sim(pods=pods)
    except BaseException:
        scene.close()
        raise
    return scene
