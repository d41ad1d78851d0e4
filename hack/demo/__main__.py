"""`make demo`: from nothing to a running Flink job, live, and nothing left behind."""

import argparse
import asyncio
import signal
import sys
import time
from typing import NoReturn

import msgspec
from fakes.leanapi import Api, CallError, leaves
from fakes.programs import ROOT, ProgramError
from fakes.scene import Scene, fresh_logs, stage
from rich.console import Console

from hack.clusters.errors import ControlPlaneError
from hack.demo.story import Story
from hack.demo.view import View, opened

SAMPLE = ROOT / "manifests" / "samples" / "basic.yaml"
NAME = "basic"
CLUSTER = "demo"
WATCHED = {
    "FlinkDeployment": "/apis/flink.apache.org/v1beta1/namespaces/default/flinkdeployments",
    "Deployment": "/apis/apps/v1/namespaces/default/deployments",
    "Service": "/api/v1/namespaces/default/services",
    "ConfigMap": "/api/v1/namespaces/default/configmaps",
    "Pod": "/api/v1/namespaces/default/pods",
    "Event": "/apis/events.k8s.io/v1/namespaces/default/events",
}


class NotStableError(Exception):
    """The job did not become STABLE in time."""


FAILURES = (ControlPlaneError, ProgramError, NotStableError, CallError)


class Steps:
    """Says what is being done, with the seconds since the start."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = time.monotonic()

    def say(self, text: str) -> None:
        """Print one step."""
        passed = time.monotonic() - self._begun
        self._console.print(f"[{passed:6.1f} s] {text}", markup=False, highlight=False)


async def follow(scene: Scene, view: View, seconds: float) -> Story:
    """Apply the sample and tell its story until it is STABLE.

    Raises:
        NotStableError: it was not within `seconds`.
    """
    begun = [time.monotonic()]
    story = Story(NAME, lambda: time.monotonic() - begun[0])
    done = asyncio.Event()

    async def listen(api: Api, kind: str, path: str) -> None:
        async for line in api.watch(path):
            story.hear(kind, msgspec.json.decode(line))
            view.show(story)
            if story.stable:
                done.set()

    async def tick() -> None:
        while True:
            await asyncio.sleep(0.2)
            scene.check()
            view.show(story)

    async with Api(scene.plane.kubeconfig) as api:
        try:
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(listen(api, kind, path)) for kind, path in WATCHED.items()
                ]
                tasks.append(group.create_task(tick()))
                await asyncio.sleep(0.2)  # the watches are there before the resource is
                begun[0] = time.monotonic()
                await asyncio.to_thread(scene.plane.kubectl, "apply", "-f", str(SAMPLE))
                await done.wait()
                await asyncio.sleep(0.3)  # the last events
                for task in tasks:
                    task.cancel()
        except TimeoutError:
            raise NotStableError(f"{NAME} is not STABLE after {seconds:.0f} s") from None
    view.show(story)
    return story


def summary(console: Console, scene: Scene, story: Story, *, kept: bool) -> None:
    """What ran, how long it took, and where to look."""
    reached = ", ".join(f"{state} after {at:.2f} s" for state, at in story.milestones.items())
    job = story.status.get("jobStatus") or {}
    lines = [
        "",
        f"FlinkDeployment {NAME}: {reached}",
        f"Job: {job.get('jobName')} ({job.get('jobId')}) is {job.get('state')}",
        f"Objects: {', '.join(sorted(story.objects))}",
        f"What ran: a real API server with etcd, scheduler and controller manager at {scene.plane.server};",
        "  kwok as the nodes; flinksim as Flink; and `flinkop run` beside them.",
        f"Logs: {scene.logs.relative_to(ROOT)}",
    ]
    if kept:
        lines += [
            "",
            "It is left running. Look around:",
            f"  export KUBECONFIG={scene.plane.kubeconfig}",
            "  kubectl get flinkdeployments,deployments,pods,services,configmaps",
            f"  kubectl describe flinkdeployment {NAME}",
            f'  kubectl patch flinkdeployment {NAME} --type merge -p \'{{"spec":{{"restartNonce":1}}}}\'',
            f"  curl {scene.health}/metrics",
            "End it:",
            f"  python3 hack/controlplane.py down {CLUSTER}",
        ]
    else:
        lines += ["Nothing is left running. To look around in it: make demo KEEP=1"]
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def play(console: Console, *, keep: bool, seconds: float) -> None:
    """The whole demo; what was started is ended unless it is to be kept."""
    steps = Steps(console)
    scene = stage(CLUSTER, fresh_logs(CLUSTER), pods=True, say=steps.say)
    kept = False
    try:
        steps.say("starting the operator: flinkop run")
        scene.start_operator()
        steps.say(f"kubectl apply -f {SAMPLE.relative_to(ROOT)}")
        with opened(console) as view:
            story = asyncio.run(follow(scene, view, seconds))
        if keep:
            scene.plane.keep()
            kept = True
    except BaseException:
        if scene.operator and not isinstance(sys.exception(), (KeyboardInterrupt, ProgramError)):
            console.print("The operator's last lines:", style="bold")
            console.print(scene.operator.tail(30), markup=False, highlight=False, soft_wrap=True)
        raise
    finally:
        if not kept:
            steps.say("ending what was started")
            scene.close()
    summary(console, scene, story, kept=kept)


def interrupted(*_: object) -> NoReturn:
    """SIGTERM ends the demo as Ctrl-C does: with everything it started."""
    raise KeyboardInterrupt


def main() -> int:
    """0 when the job became STABLE, 1 when not, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave everything running")
    parser.add_argument("--seconds", type=float, default=60.0, help="to wait for STABLE")
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)
    console = Console()
    try:
        play(console, keep=arguments.keep, seconds=arguments.seconds)
    except KeyboardInterrupt:
        console.print("interrupted; nothing is left running")
        return 130
    except (*FAILURES, ExceptionGroup) as error:
        for failure in leaves(error):
            console.print(f"The demo failed: {failure}", style="red", markup=False, soft_wrap=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
