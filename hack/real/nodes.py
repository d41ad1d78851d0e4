"""The cluster that scenarios run on: one that is given, or one that is brought up and taken down."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from hack.clusters import locks
from hack.clusters.progress import Progress
from hack.real import operatorimage
from hack.real.errors import NotPossibleError
from hack.real.scripts import Scripts

NEED = """\
The scenarios need nodes that run pods. Either
  - name a cluster: FLINKOP_REAL_KUBECONFIG (or KUBECONFIG), and the images that its nodes have or can pull:
    FLINKOP_REAL_IMAGE, such as flink:{version} or a registry of yours; or
  - name a folder with up.sh, down.sh and build-image.sh that make one: FLINKOP_REALCLUSTER.
docs/real-flink.md says more."""

_STATE = "/var/tmp/flinkop-real"  # noqa: S108 - on the node


@frozen
class Nodes:
    """A cluster whose nodes run pods.

    Attributes:
        kubeconfig: as cluster-admin.
        image: reference of Flink's image; `{version}` stands for the version.
        operator_image: reference of flinkop's image; empty where there is none.
        state: a directory of the node for what outlives pods.
    """

    kubeconfig: Path
    image: str
    operator_image: str
    state: str


@contextlib.contextmanager
def nodes(versions: list[str], progress: Progress, log: Path, *, smoke: bool) -> Iterator[Nodes]:
    """Yield a cluster. One that was brought up for it is taken down at the end, however that comes.

    A smoke run takes no cluster that is only in KUBECONFIG, and builds nothing.

    Raises:
        NotPossibleError: there is none, and none can be brought up.
    """
    named = os.environ.get("FLINKOP_REAL_KUBECONFIG")
    if not named and not smoke:
        named = os.environ.get("KUBECONFIG")
    if named:
        progress.line(f"on the cluster of {named}")
        image = os.environ.get("FLINKOP_REAL_IMAGE", "flink:{version}")
        operator = os.environ.get("FLINKOP_REAL_OPERATOR_IMAGE", "")
        yield Nodes(Path(named), image, operator, os.environ.get("FLINKOP_REAL_STATE", _STATE))
        return
    scripts = Scripts(log)
    try:
        scripts.require()
    except NotPossibleError as error:
        raise NotPossibleError(f"{error}\n{NEED}") from None
    with (
        _alone(scripts, progress, smoke=smoke),
        _brought_up(scripts, versions, progress, smoke=smoke),
    ):
        operator = "" if smoke else operatorimage.load(scripts, progress)
        # The node sees this machine's files.
        state = scripts.work / "scenarios"
        yield Nodes(scripts.kubeconfig, "localhost/flink:{version}", operator, str(state))
        shutil.rmtree(state, ignore_errors=True)


@contextlib.contextmanager
def _alone(scripts: Scripts, progress: Progress, *, smoke: bool) -> Iterator[None]:
    """One run at a time: the first to end would take the cluster down under the other. A smoke run does not wait."""

    def waiting() -> None:
        if smoke:
            raise NotPossibleError(f"another run uses the cluster in {scripts.work}")
        progress.beat("another run uses the cluster; waiting for its end")

    with locks.exclusive(scripts.work / "e2e-real.lock", waiting):
        yield


@contextlib.contextmanager
def _brought_up(
    scripts: Scripts, versions: list[str], progress: Progress, *, smoke: bool
) -> Iterator[None]:
    unbuilt = scripts.unbuilt(versions)
    if unbuilt and smoke:
        what = ", ".join(unbuilt)
        raise NotPossibleError(
            f"not built yet: {what} (in {scripts.work}). make e2e-real does, once"
        )
    if unbuilt:
        progress.line(f"building {', '.join(unbuilt)}, once")
        scripts.build(versions)
    if scripts.is_up:
        progress.line("the cluster is up already, and stays up")
        yield
        return
    try:
        progress.line(f"starting a cluster with {scripts.folder}")
        scripts.up()
        progress.line("it is up")
        yield
    finally:
        scripts.down()
        progress.line("it is down")
