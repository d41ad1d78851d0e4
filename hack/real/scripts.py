"""A one-node cluster made by the scripts of a folder: `up.sh`, `down.sh`, `build-image.sh` and more.

The folder is no part of the project. FLINKOP_REALCLUSTER names it (`../shared/realcluster` beside the
checkout by default), and `W` the directory in which it keeps what it builds.
"""

import os
from pathlib import Path

from hack.clusters import build, paths
from hack.real import commands
from hack.real.errors import NotPossibleError

ROOT = Path(__file__).resolve().parent.parent.parent
_BINARIES = (
    "kube-apiserver", "kube-controller-manager", "kube-scheduler",
    "kubelet", "kube-proxy", "etcd", "coredns", "pause",
)  # fmt: skip
_COMMANDS = (
    "containerd", "ctr", "runc", "iptables", "conntrack", "ip", "nsenter", "unshare",
    "openssl", "kubectl", "curl", "jq",
)  # fmt: skip
_UP = 150.0
_BUILD = 3000.0
_IMAGE = 900.0
_DOWN = 60.0


class Scripts:
    """The scripts, and what they have built already.

    Attributes:
        folder: where they are.
        work: where they keep things.
        kubeconfig: as cluster-admin; there once the cluster was up.
    """

    def __init__(self, log: Path) -> None:
        default = ROOT.parent / "shared" / "realcluster"
        self.folder = Path(os.environ.get("FLINKOP_REALCLUSTER") or default).resolve()
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        self.work = Path(os.environ.get("W") or cache / "flinkop-realcluster")
        self.kubeconfig = self.work / "kubeconfig"
        self._log = log

    def require(self) -> None:
        """Raise NotPossibleError when this machine cannot run them."""
        if not (self.folder / "up.sh").exists():
            raise NotPossibleError(
                f"there is no {self.folder}/up.sh (FLINKOP_REALCLUSTER names it)"
            )
        if os.geteuid() != 0:
            raise NotPossibleError(f"{self.folder} takes root")
        if absent := commands.missing(_COMMANDS):
            raise NotPossibleError(f"{self.folder} takes commands that are not here: {absent}")

    def unbuilt(self, versions: list[str]) -> list[str]:
        """What would have to be built first, which takes long: programs, images of Flink."""
        programs = [name for name in _BINARIES if not (self.work / "bin" / name).exists()]
        images = [
            f"flink {one}" for one in versions if not self.image_file(f"flink-{one}").exists()
        ]
        return [*programs, *images]

    def image_file(self, name: str) -> Path:
        """The archive of an image."""
        return self.work / "images" / f"{name}.tar"

    @property
    def is_up(self) -> bool:
        """Whether the cluster runs."""
        try:
            self._run("status.sh", limit=_DOWN)
        except NotPossibleError:
            return False
        return True

    def build(self, versions: list[str]) -> None:
        """Build what is missing: the programs, and an image for each version of Flink."""
        self._run("build-tools.sh", limit=_BUILD)
        for version in versions:
            if not self.image_file(f"flink-{version}").exists():
                self._run("build-image.sh", version, limit=_IMAGE)

    def up(self) -> None:
        """Start the cluster, empty, with all images."""
        self._run("up.sh", limit=_UP)

    def down(self) -> None:
        """End it."""
        self._run("down.sh", limit=_DOWN)

    def load(self, image: Path) -> None:
        """Give the running node an image."""
        self._run("load-image.sh", str(image), limit=_IMAGE)

    def make_image(self, image: Path, *arguments: str) -> None:
        """Put an image together of layers and directories."""
        self._run("mkimage.py", *arguments, str(image), limit=_IMAGE)

    def _run(self, script: str, *arguments: str, limit: float) -> None:
        # What the control plane of the other tests is made of need not be built twice.
        built = paths.cache_root() / "tools" / build.fingerprint()
        env = {"TOOLS": str(built), **os.environ, "W": str(self.work)}
        commands.run([str(self.folder / script), *arguments], self._log, limit=limit, env=env)
