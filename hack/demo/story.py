"""What has happened so far, told from watch events; no I/O.

Each event becomes at most a few sentences, each told once, with the seconds since the resource
was applied; and it updates the picture that the live view draws.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """Something worth telling: seconds since the start, what it is about, what happened."""

    seconds: float
    about: str
    text: str


@dataclass
class Story:
    """The picture so far.

    Attributes:
        name: of the FlinkDeployment that is followed.
        clock: seconds since it was applied.
        lines: what was told, in order.
        objects: what exists, by `Kind name`, with a word about its state.
        status: the FlinkDeployment's status, as last seen.
        milestones: seconds at which lifecycle states were reached.
    """

    name: str
    clock: Callable[[], float]
    lines: list[Line] = field(default_factory=list)
    objects: dict[str, str] = field(default_factory=dict)
    status: Object = field(default_factory=dict)
    milestones: dict[str, float] = field(default_factory=dict)
    _told: set[tuple[str, str]] = field(default_factory=set)

    @property
    def stable(self) -> bool:
        """Whether the job runs and all is as asked."""
        return self.status.get("lifecycleState") == "STABLE"

    def hear(self, kind: str, event: Object) -> None:
        """Take in one watch event of an object of `kind`."""
        item = event["object"]
        if kind == "Event":
            self._event(item)
        elif kind == "FlinkDeployment":
            self._resource(item)
        elif self._belongs(item):
            self._object(kind, event["type"], item)

    def _belongs(self, item: Object) -> bool:
        labels = item["metadata"].get("labels") or {}
        return labels.get("app") == self.name or item["metadata"]["name"] == self.name

    def _resource(self, item: Object) -> None:
        if item["metadata"]["name"] != self.name:
            return
        about = f"FlinkDeployment {self.name}"
        self._tell(about, "created")
        self.status = item.get("status") or {}
        state = self.status.get("lifecycleState")
        if state and state not in self.milestones:
            self.milestones[state] = self.clock()
        if state:
            self._tell(about, f"is {state}")
        manager = self.status.get("jobManagerDeploymentStatus")
        if manager:
            self._tell(f"JobManager {self.name}", f"is {manager}")
        job = self.status.get("jobStatus") or {}
        if job.get("state"):
            self._tell(f"Job {job.get('jobName') or self.name}", f"is {job['state']}")
        if self.status.get("error"):
            self._tell(about, f"error: {self.status['error']}")

    def _object(self, kind: str, what: str, item: Object) -> None:
        about = f"{kind} {item['metadata']['name']}"
        if what == "DELETED":
            self.objects.pop(about, None)
            self._tell(about, "deleted")
            return
        self._tell(about, "created")
        state = condition_of(kind, item)
        self.objects[about] = state
        if state:
            self._tell(about, state)

    def _event(self, item: Object) -> None:
        about = item.get("regarding") or {}
        if about.get("kind") == "FlinkDeployment" and about.get("name") == self.name:
            self._tell(f"Event {item.get('reason', '')}", item.get("note", ""))

    def _tell(self, about: str, text: str) -> None:
        if (about, text) not in self._told:
            self._told.add((about, text))
            self.lines.append(Line(self.clock(), about, text))


def condition_of(kind: str, item: Object) -> str:
    """A word about an object's state; empty for those that merely exist."""
    status = item.get("status") or {}
    if kind == "Pod":
        phase: str = status.get("phase", "")
        node = (item.get("spec") or {}).get("nodeName")
        return f"{phase} on {node}" if node and phase == "Running" else phase
    if kind == "Deployment":
        ready = status.get("availableReplicas", 0)
        return f"{ready} of {(item.get('spec') or {}).get('replicas', 1)} available"
    return ""
