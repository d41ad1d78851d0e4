"""Gathers the root file system: Debian's python3 with what it needs, the pinned wheels, flinkop.

No root and no chroot is needed: packages are unpacked, none is configured. The interpreter that is unpacked
installs the wheels and compiles everything, so that they fit it whatever Python runs this.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from hack.image.errors import ImageError

ROOT: Final = Path(__file__).resolve().parents[2]
RELEASE: Final = "bookworm"
PYTHON: Final = "3.11"
USER: Final = 9999
SITE: Final = f"usr/local/lib/python{PYTHON}/dist-packages"
"""Where Debian's interpreter looks without being told."""

PACKAGES: Final = (
    "base-files",
    "ca-certificates",
    "dash",
    "libbz2-1.0",
    "libc6",
    "libcrypt1",
    "libdb5.3",
    "libexpat1",
    "libffi8",
    "libgcc-s1",
    "liblzma5",
    f"libpython{PYTHON}-minimal",
    f"libpython{PYTHON}-stdlib",
    "libsqlite3-0",
    "libssl3",
    "libuuid1",
    "netbase",
    f"python{PYTHON}-minimal",
    "tzdata",
    "zlib1g",
)
_LOADERS: Final = {
    "x86_64": "lib64/ld-linux-x86-64.so.2",
    "aarch64": "lib/ld-linux-aarch64.so.1",
}
_PRUNED: Final = (
    "usr/share/man",
    "usr/share/locale",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/python3",
    "usr/share/binfmts",
    "usr/share/applications",
    "usr/share/pixmaps",
    "usr/share/bug",
    "usr/share/menu",
    "usr/share/base-files",
    f"usr/lib/python{PYTHON}/pydoc_data",
    f"usr/lib/python{PYTHON}/lib2to3",
)
_DIRECTORIES: Final = (
    "opt/flink/artifacts",
    "opt/flink/conf",
    "opt/flink/operator-lib",
    "opt/flink/plugins",
    "opt/flink/tls-cert",
    "flink-kubernetes-operator",
    "proc",
    "sys",
    "dev",
    "tmp",
)
_LAUNCHER: Final = f"""\
#!/usr/bin/python{PYTHON}
import sys

from flinkop.cli.main import main

sys.exit(main())
"""


def build(target: Path, work: Path) -> None:
    """Make the root file system in `target`, which must not be there; packages are kept in `work`.

    Raises:
        ImageError: not on Debian, or a package cannot be had.
    """
    if target.exists():
        raise ImageError(f"{target} is there already: remove it, or name another directory")
    loader = _loader()
    _unpack(_packages(work / "debs"), target)
    for path in _PRUNED:
        shutil.rmtree(target / path, ignore_errors=True)
    for file in (target / "usr" / "share" / "doc").rglob("*"):
        if file.is_file() and file.name != "copyright":
            file.unlink()
    _install(target, loader)
    _add_own_files(target)
    _compile(target, loader)


def python(target: Path, loader: str) -> list[str]:
    """Return the command that runs the unpacked interpreter with the unpacked libraries."""
    triplet = f"{platform.machine()}-linux-gnu"
    libraries = os.pathsep.join(
        str(target / path) for path in (f"lib/{triplet}", f"usr/lib/{triplet}")
    )
    return [
        str(target / loader),
        "--library-path",
        libraries,
        str(target / f"usr/bin/python{PYTHON}"),
    ]


def _loader() -> str:
    try:
        return _LOADERS[platform.machine()]
    except KeyError:
        raise ImageError(f"no image for {platform.machine()}") from None


def _packages(directory: Path) -> list[Path]:
    """Download what is not there yet, each in the version that apt would install."""
    if not shutil.which("apt-get") or RELEASE not in Path("/etc/os-release").read_text():
        raise ImageError(
            f"needs apt of Debian {RELEASE}: elsewhere build the Dockerfile, which runs this in such an image"
        )
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as empty:  # apt leaves out what lies where it is run
        printed = _run(["apt-get", "download", "--print-uris", *PACKAGES], Path(empty))
    names = [line.split()[1] for line in printed.splitlines() if line.startswith("'")]
    if len(names) != len(PACKAGES):
        raise ImageError("apt does not know all packages: run apt-get update, and try again")
    missing = [
        package
        for package, name in zip(PACKAGES, names, strict=True)
        if not (directory / name.replace(":", "%3a")).exists()
    ]
    if missing:
        # Run as who called: apt's own user may not write here. Signatures are checked all the same.
        _run(["apt-get", "-o", "APT::Sandbox::User=root", "download", *missing], directory)
    return [directory / name.replace(":", "%3a") for name in names]


def _unpack(packages: list[Path], target: Path) -> None:
    """Unpack all; their control data stays, so that scanners know what is inside."""
    status = target / "var" / "lib" / "dpkg" / "status.d"
    status.mkdir(parents=True)
    for package in packages:
        _run(["dpkg-deb", "-x", str(package), str(target)], target)
        control = _run(["dpkg-deb", "-f", str(package)], target)
        (status / package.name.partition("_")[0]).write_text(control)


def _install(target: Path, loader: str) -> None:
    """Install the pinned wheels, and flinkop as it is in the checkout."""
    site = target / SITE
    pip = Path(_run([sys.executable, "-c", "import pip; print(pip.__path__[0])"], ROOT).strip())
    environ = {
        "PYTHONHOME": str(target / "usr"),
        "PYTHONPATH": str(pip.parent),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
    }
    command = [*python(target, loader), "-m", "pip", "install", "--quiet", "--no-compile"]
    command += ["--require-hashes", "--only-binary", ":all:", "--no-deps", "--ignore-installed"]
    command += ["--target", str(site), "-r", str(ROOT / "requirements" / "image.txt")]
    _run(command, ROOT, environ)
    shutil.rmtree(site / "bin", ignore_errors=True)
    for tests in site.glob("*/tests"):
        shutil.rmtree(tests)
    for record in site.glob(
        "*.dist-info/RECORD"
    ):  # it has the hashes of scripts with this machine's paths
        record.unlink()
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(ROOT / "flinkop", site / "flinkop", ignore=ignored)


def _add_own_files(target: Path) -> None:
    for path in _DIRECTORIES:
        (target / path).mkdir(parents=True, exist_ok=True)
    (target / "tmp").chmod(0o1777)
    files = {
        "etc/passwd": f"root:x:0:0:root:/root:/bin/sh\nflink:x:{USER}:{USER}:flink:/opt/flink:/bin/sh\n",
        "etc/group": f"root:x:0:\nflink:x:{USER}:\n",
        "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
        "usr/local/bin/flinkop": _LAUNCHER,
        "docker-entrypoint.sh": (Path(__file__).with_name("docker-entrypoint.sh")).read_text(),
    }
    for name, text in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(text)
    for name in ("usr/local/bin/flinkop", "docker-entrypoint.sh"):
        (target / name).chmod(0o755)
    for name in ("LICENSE", "CHANGELOG.md"):
        shutil.copy(ROOT / name, target / "flink-kubernetes-operator" / name)
    links = {"bin/sh": "dash", "usr/bin/python3": f"python{PYTHON}"}
    for name, to in links.items():
        (target / name).unlink(missing_ok=True)
        (target / name).symlink_to(to)
    _gather_certificates(target)


def _gather_certificates(target: Path) -> None:
    """Do what the package's script would: one file of all authorities."""
    authorities = sorted((target / "usr/share/ca-certificates").rglob("*.crt"))
    bundle = target / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_text("".join(file.read_text().rstrip("\n") + "\n" for file in authorities))
    (target / "usr/lib/ssl").mkdir(parents=True, exist_ok=True)
    for name, to in (
        ("certs", "/etc/ssl/certs"),
        ("cert.pem", "/etc/ssl/certs/ca-certificates.crt"),
    ):
        link = target / "usr/lib/ssl" / name
        if not link.is_symlink():
            link.symlink_to(to)


def _compile(target: Path, loader: str) -> None:
    """Compile all modules, so that a read-only root starts as fast; the same bytes each time."""
    environ = {"PYTHONHOME": str(target / "usr"), "PYTHONHASHSEED": "0"}
    command = [*python(target, loader), "-m", "compileall", "-q", "-s", str(target), "-p", "/"]
    command += ["--invalidation-mode", "unchecked-hash"]
    _run([*command, str(target / f"usr/lib/python{PYTHON}"), str(target / SITE)], ROOT, environ)


def _run(command: list[str], directory: Path, environ: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        shown = " ".join(command[:6])
        raise ImageError(f"{shown} ... failed:\n{(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout
