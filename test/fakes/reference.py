"""How the reference goes on from a status that it finds: its reading rules, and no more (behaviour.md 2 to 4).

A small reader of its own: nothing of flinkop's decisions is used. It knows one application with state, whose
JobManager answers, and carries a takeover through to its end.
"""

import copy
import json
from typing import Any

from attrs import define, field

FROM_METADATA = "HA"
SENTINEL = "KUBERNETES_OPERATOR_LAST_STATE"
TERMINAL = ("FAILED", "CANCELED", "FINISHED")
_ROUNDS = 12


class Stuck(Exception):  # noqa: N818 - what became of it
    """It would not get on without a person, or would raise again and again."""


@define
class Reference:
    """The reference, started on a status and a cluster that somebody left.

    Attributes:
        status: `.status`, wire form.
        spec: the user's spec, wire form.
        generation: `metadata.generation`.
        deployment: the JobManager Deployment with its `generation`, None when there is none.
        jobs: what the JobManager lists: `id`, `state`, newest `checkpoint`, `savepoint` with its trigger.
        metadata: id of the job whose HA metadata exists.
        high_availability: whether the clusters keep HA metadata.
        newest: the newest restore point of the job.
        starts: what each job that it started was restored from.
    """

    status: dict[str, Any]
    spec: dict[str, Any]
    generation: int
    deployment: dict[str, Any] | None
    jobs: list[dict[str, Any]]
    metadata: str | None
    high_availability: bool
    newest: str | None = None
    starts: list[str | None] = field(factory=list)
    _made: int = 0

    def run(self, loops: int = _ROUNDS) -> "Reference":
        """Reconcile until nothing changes any more, or the process dies after so many loops."""
        for _ in range(loops):
            before = copy.deepcopy((self.status, self.deployment, self.jobs, self.metadata))
            self._loop()
            if before == (self.status, self.deployment, self.jobs, self.metadata):
                return self
        if loops == _ROUNDS:
            raise Stuck("it goes on for ever")
        return self

    @property
    def lifecycle(self) -> str:
        """0.5, without the rules about errors."""
        if self._recon["state"] in ("UPGRADING", "ROLLING_BACK"):
            return str(self._recon["state"])
        if self._job["state"] == "suspended":
            return "SUSPENDED"
        if self._state == "FAILED":
            return "FAILED"
        if self._recon["state"] == "ROLLED_BACK":
            return "ROLLED_BACK"
        stable = self._recon.get("lastStableSpec") == self._recon["lastReconciledSpec"]
        return "STABLE" if stable else "DEPLOYED"

    # --- what it sees

    def _loop(self) -> None:
        """1.4."""
        recorded = self._recon.get("lastReconciledSpec")
        if recorded is not None and self._is_observed():
            self._observe()
        self._reconcile()

    def _is_observed(self) -> bool:
        """O-2 to O-4."""
        if self._recon["state"] == "ROLLING_BACK":
            return False
        if self._recon["state"] != "UPGRADING" or self._state == "CANCELLING":
            return True
        found = -1 if self.deployment is None else self.deployment["generation"]
        if (
            self.status["jobManagerDeploymentStatus"] == "MISSING"
            and self.deployment is not None
            and found == self.status.get("observedGeneration", -1)
        ):
            self._edit(state="running")  # P-6
            self._set_state("RECONCILING")
            self._recon["state"] = "DEPLOYED"
            return True
        if self._metadata.get("firstDeployment"):  # P-7
            del self._recon["lastReconciledSpec"]
        return False

    def _observe(self) -> None:
        """2.4, 2.5, 2.7, 2.8, with a JobManager that answers as soon as it is there."""
        info = self.status["jobStatus"].get("savepointInfo", {})
        if self.deployment is None:
            self.status["jobManagerDeploymentStatus"] = "MISSING"
            if self._state not in TERMINAL:
                self._set_state("RECONCILING")
        else:
            self.status["jobManagerDeploymentStatus"] = "READY"
            if self._job["state"] == "running":
                self._observe_job(info)
        if self._state != "RUNNING" and info.get("triggerId"):  # O-7
            _reset(info)

    def _observe_job(self, info: dict[str, Any]) -> None:
        job = self._listed()
        if job is None:  # O-36
            self._recon["state"] = "DEPLOYED"
            self._set_state("RECONCILING")
            return
        previous, now = self._state, str(job["state"])
        self._set_state(now)
        if now == "CANCELED" or (now in TERMINAL and previous == "CANCELLING"):
            self._edit(state="suspended", first=False)  # P-5
        if now == "RUNNING" and self._recon["state"] == "DEPLOYED":
            self._recon["lastStableSpec"] = self._recon["lastReconciledSpec"]
        if info.get("triggerId") and now == "RUNNING":
            taken = job.get("savepoint")
            if taken is not None and taken["trigger"] == info["triggerId"]:  # O-61
                info["lastSavepoint"] = {"location": taken["path"], "timeStamp": 0}
            _reset(info)  # O-61, O-62
        if now in TERMINAL and job.get("checkpoint"):  # O-64
            self.status["jobStatus"]["upgradeSavepointPath"] = job["checkpoint"]

    # --- what it does

    def _reconcile(self) -> None:
        """3.1, 3.3."""
        if self._recon.get("lastReconciledSpec") is None:
            if self.spec["job"].get("state", "running") == "suspended":
                return
            path = self.spec["job"].get("initialSavepointPath")
            self._deploy(path, "savepoint" if path else "stateless", require=False)
            return
        if self.status["jobStatus"].get("savepointInfo", {}).get("triggerId"):
            return
        changed = self._recon["state"] == "UPGRADING" or self._differs()
        if self._recon["state"] == "ROLLING_BACK":
            raise Stuck("rollbacks are told by the status alone; see `behaviour.md` R-95")
        if not changed:
            self.status["observedGeneration"] = self.generation
            self._recover()
            return
        desired = self.spec["job"].get("state", "running")
        if self._job["state"] == "running":
            self._suspend(desired)
        elif desired == "running":
            mode = self._job["upgradeMode"]
            path = self._known_path() if mode == "savepoint" else None
            self._deploy(path, mode, require=mode == "last-state")

    def _suspend(self, desired: str) -> None:
        """3.4 for a job with state, R-22 to R-24."""
        mode = self.spec["job"]["upgradeMode"]
        ready = self.status["jobManagerDeploymentStatus"] == "READY"
        if self._state in TERMINAL:
            if self._known_path() == SENTINEL:
                raise Stuck("the last checkpoint is not known")
            self._record("savepoint", desired)
        elif self._state == "CANCELLING":
            return
        elif mode == "savepoint" and self._state == "RUNNING" and ready:
            job = self._listed()
            assert job is not None
            path = f"file:/data/savepoints/of-{job['id']}"
            job.update(state="FINISHED", checkpoint=path)
            self.newest = path
            self.metadata = None
            self.status["jobStatus"]["upgradeSavepointPath"] = path
            self._record("savepoint", desired)
        elif self.metadata is not None:
            self.deployment, self.jobs = None, []
            self.status["jobManagerDeploymentStatus"] = "MISSING"
            self._record("last-state", desired)
        elif ready and self._state not in (None, "RECONCILING"):
            job = self._listed()
            assert job is not None
            job["state"] = "CANCELED"
            self._set_state("CANCELLING")
            self._recon["state"] = "UPGRADING"
            self._edit(mode="savepoint", first=False)
        elif self.status["jobManagerDeploymentStatus"] in ("MISSING", "ERROR"):
            raise Stuck("HA metadata is not available")
        else:
            raise Stuck("it waits for a job that can be upgraded")

    def _record(self, mode: str, desired: str) -> None:
        """P-1 after a job was taken down."""
        self._set_state("FINISHED")
        self._recon["state"] = "UPGRADING" if desired == "running" else "DEPLOYED"
        self._write_recorded(mode, "suspended")

    def _recover(self) -> None:
        """R-83."""
        lost = self.deployment is None and self._job["state"] == "running"
        if not lost or self._state in TERMINAL or not self.high_availability:
            return
        self._submit(None, require=True)

    def _deploy(self, path: str | None, mode: str, *, require: bool) -> None:
        """R-26, R-64 to R-68."""
        if self.status["jobManagerDeploymentStatus"] != "MISSING":
            if self._state not in TERMINAL:
                raise Stuck("it wants to delete a cluster whose job has not ended (R-64)")
            self.deployment, self.jobs = None, []
            if not require:
                self.metadata = None
        self._write_recorded(mode, "running")
        self._recon["state"] = "DEPLOYED"
        if self.status["jobStatus"].get("jobId") is None or not require:
            self._made += 1
            self.status["jobStatus"]["jobId"] = f"theirs-{self._made}"
        self._submit(path, require=require)

    def _submit(self, path: str | None, *, require: bool) -> None:
        if self.deployment is not None:
            raise Stuck("the Deployment exists already, and always will (R-67)")
        if require and self.metadata is None:
            raise Stuck("HA metadata is not available to restore from last state")
        job_id = self.status["jobStatus"]["jobId"]
        if require:
            assert self.metadata == job_id, "it would not find its metadata"
        source = FROM_METADATA if require else path
        if self.newest is not None:
            assert source in (FROM_METADATA, self.newest), f"{source} is not the newest"
        self.starts.append(source)
        self.deployment = {"generation": self.generation}
        self._made += 1
        self.newest = f"file:/data/checkpoints/{job_id}/chk-{self._made}"
        self.jobs = [{"id": job_id, "state": "RUNNING", "checkpoint": self.newest}]
        self.metadata = job_id if self.high_availability else None
        self._set_state("RECONCILING")
        self.status["jobManagerDeploymentStatus"] = "READY"

    # --- the status

    @property
    def _recon(self) -> dict[str, Any]:
        found: dict[str, Any] = self.status["reconciliationStatus"]
        return found

    @property
    def _document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._recon["lastReconciledSpec"])
        return found

    @property
    def _job(self) -> dict[str, Any]:
        found: dict[str, Any] = self._document["spec"]["job"]
        return found

    @property
    def _metadata(self) -> dict[str, Any]:
        found: dict[str, Any] = self._document["resource_metadata"]
        return found

    @property
    def _state(self) -> str | None:
        found: str | None = self.status["jobStatus"].get("state")
        return found

    def _set_state(self, state: str) -> None:
        self.status["jobStatus"]["state"] = state

    def _listed(self) -> dict[str, Any] | None:
        mine = self.status["jobStatus"].get("jobId")
        return next((job for job in self.jobs if job["id"] == mine), None)

    def _known_path(self) -> str | None:
        job = self.status["jobStatus"]
        last = job.get("savepointInfo", {}).get("lastSavepoint", {}).get("location")
        found: str | None = job.get("upgradeSavepointPath") or last
        return found

    def _differs(self) -> bool:
        """3.2, of what the tests change."""
        before, after = self._document["spec"], self.spec
        wanted = after["job"].get("state", "running")
        return bool(
            before["job"]["args"] != after["job"].get("args", [])
            or before["job"]["state"] != wanted
            or (after.get("restartNonce") or before["restartNonce"]) != before["restartNonce"]
        )

    def _edit(
        self, *, state: str | None = None, mode: str | None = None, first: bool | None = None
    ) -> None:
        """P-4."""
        document = self._document
        if state is not None:
            document["spec"]["job"]["state"] = state
        if mode is not None:
            document["spec"]["job"]["upgradeMode"] = mode
        if first is not None:
            document["resource_metadata"]["firstDeployment"] = first
        self._recon["lastReconciledSpec"] = json.dumps(document, separators=(",", ":"))

    def _write_recorded(self, mode: str, state: str) -> None:
        spec = copy.deepcopy(self.spec)
        job = {"args": [], **spec["job"], "state": state, "upgradeMode": mode}
        document = {
            "spec": {"restartNonce": None, **spec, "job": job},
            "resource_metadata": {"firstDeployment": False},
        }
        self._recon["lastReconciledSpec"] = json.dumps(document, separators=(",", ":"))
        self.status["observedGeneration"] = self.generation
        if self.spec["job"].get("state") == "suspended":
            self._recon["lastStableSpec"] = self._recon["lastReconciledSpec"]


def _reset(info: dict[str, Any]) -> None:
    for name in ("triggerId", "triggerTimestamp", "triggerType", "formatType"):
        info.pop(name, None)
