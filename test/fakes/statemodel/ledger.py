"""What the user may rely on, kept as simply as possible: which state is the newest, and what was let go.

newest   the newest restore point of the job's own line of runs; a start of a job with state has to
         restore it, or one that is as good, whatever has happened since
forgone  the user asked for a start without state, and the operator took note in the status
"""

from attrs import evolve, field, frozen

from flinkop.api import recorded_spec
from flinkop.api.common import JobState, UpgradeMode
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.flink.states import JobState as State


@frozen
class Submitted:
    """What a Deployment was made for.

    Attributes:
        uid: of the Deployment.
        generation: of the spec.
        stateful: whether the user's spec asked for state to be kept at that time.
        given: path that the user asked to start from, for a first start or a redeployment.
        explicit: whether the user named where to start, `given` None for an empty start.
        nonce: `savepointRedeployNonce` of the spec.
    """

    uid: str
    generation: int
    stateful: bool
    given: str | None = None
    explicit: bool = False
    nonce: int | None = None


@frozen
class Ledger:
    """See the module's docstring.

    Attributes:
        newest: path of the newest restore point, None when there is no state.
        also: paths that are as good.
        forgone: whether the state was let go.
        submitted: what the newest Deployment was made for.
        begun: whether a job was ever submitted.
        generation: of the spec that the job which ran last was submitted for.
        nonce: `savepointRedeployNonce` of the last submission.
        end: how that job ended by itself.
        end_seen: whether the operator was told of it.
        over: whether it was told so of any job since its last start.
        good: specs with which a job ran, or which the user suspended.
    """

    newest: str | None = None
    also: frozenset[str] = frozenset()
    forgone: bool = False
    submitted: Submitted | None = None
    begun: bool = False
    generation: int = 0
    nonce: int | None = None
    end: State | None = None
    end_seen: bool = False
    over: bool = False
    good: frozenset[str] = field(factory=frozenset)

    def took(self, path: str) -> "Ledger":
        """A checkpoint or savepoint is complete."""
        return evolve(self, newest=path)

    def named(self, path: str) -> "Ledger":
        """A stop has made a savepoint, and the job goes on: either will do until the next start."""
        return evolve(self, also=self.also | {path})

    def fell_back(self, path: str | None) -> "Ledger":
        """The job was started again by Flink alone, where its JobManager's configuration says."""
        known = {self.newest} - {path} if self.newest is not None else set()
        return evolve(self, newest=path, also=self.also | known, end=None, end_seen=False)

    def submits(self, made: Submitted) -> "Ledger":
        """A Deployment is made; where the user named what to start from, that is the newest from now on."""
        begun = evolve(self, submitted=made, begun=True, nonce=made.nonce)
        if made.explicit:
            return evolve(begun, newest=made.given, also=frozenset(), forgone=not made.stateful)
        return begun if made.stateful else evolve(begun, forgone=True)

    def never_was(self) -> "Ledger":
        """What was submitted first is gone before anybody knew: to the operator it never was."""
        made = self.submitted
        given = made.given if made else None
        return evolve(self, newest=given, also=frozenset(), begun=False, nonce=None)

    def started_from(self, path: str | None) -> "Ledger":
        """The operator's start restored `path`: a new beginning."""
        made = self.submitted
        return evolve(
            self,
            newest=path,
            also=frozenset(),
            forgone=False,
            generation=made.generation if made else 0,
            end=None,
            end_seen=False,
            over=False,
        )

    def is_fine(self, path: str | None) -> bool:
        """Whether a job with state may start from `path`."""
        return path == self.newest or path in self.also

    def verdict(self, path: str | None) -> str | None:
        """Return what is wrong with the start of `submitted` having restored `path`."""
        made = self.submitted
        if made is None:
            return "a Deployment that nobody submitted"
        if made.explicit:
            if path == made.given or (path is None and not made.stateful):
                return None
            return f"started from {path}, and the user named {made.given}"
        if not made.stateful or self.forgone or self.is_fine(path):
            return None
        return f"state lost: started from {path}, and the newest restore point is {self.newest}"


def ran(spec: FlinkDeploymentSpec) -> str:
    """Return the text by which `good` knows a spec: without what a record changes in it."""
    job = spec.job
    if job is not None:
        job = evolve(
            job,
            state=JobState.RUNNING,
            upgrade_mode=UpgradeMode.STATELESS,
            savepoint_trigger_nonce=None,
            checkpoint_trigger_nonce=None,
        )
    return recorded_spec.encode(evolve(spec, job=job), first_deployment=False)
