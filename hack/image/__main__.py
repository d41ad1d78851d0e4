"""`python3 -m hack.image rootfs DIR` and `... archive FILE`."""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from hack.image import archive, rootfs, sbom
from hack.image.errors import ImageError

WORK = rootfs.ROOT / ".cache" / "image"


def version() -> str:
    """Return flinkop's version without importing it: its dependencies may not be there."""
    text = (rootfs.ROOT / "flinkop" / "__init__.py").read_text()
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    if not found:
        raise ImageError("flinkop/__init__.py has no version")
    return found[1]


def revision() -> str:
    """Return the commit of the checkout; empty outside of one."""
    if not shutil.which("git"):
        return ""
    command = ["git", "-C", str(rootfs.ROOT), "rev-parse", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def make(target: Path) -> str:
    """Make the root file system with its list of contents; return that list."""
    rootfs.build(target, WORK)
    text = sbom.document(target, version())
    place = target / "usr" / "share" / "sbom" / "flinkop.cdx.json"
    place.parent.mkdir(parents=True)
    place.write_text(text)
    return text


def main() -> int:
    """Do as the command line says; 1 with a message on failure."""
    parser = argparse.ArgumentParser(prog="python3 -m hack.image", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    files = commands.add_parser("rootfs", help="gather the files in a directory")
    files.add_argument("path", type=Path, metavar="DIR")
    packed = commands.add_parser("archive", help="write an OCI archive, and its SBOM beside it")
    packed.add_argument("path", type=Path, metavar="FILE")
    packed.add_argument("--name", help="of the image; default: flinkop:VERSION")
    arguments = parser.parse_args()
    try:
        if arguments.command == "rootfs":
            make(arguments.path)
            return 0
        name = arguments.name or f"flinkop:{version()}"
        with tempfile.TemporaryDirectory(prefix="flinkop-image-") as directory:
            target = Path(directory) / "rootfs"
            inside = make(target)
            size = archive.write(target, arguments.path, name, version(), revision())
        arguments.path.with_suffix(".cdx.json").write_text(inside)
        print(f"{name}: {arguments.path}, {size / 1e6:.1f} MB")
    except ImageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
