"""What is inside an image, as a CycloneDX document."""

import email
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hack.image import rootfs


def document(target: Path, version: str) -> str:
    """Return the list of packages of a root file system; the same text each time."""
    return (
        json.dumps(
            {
                "bomFormat": "CycloneDX",
                "specVersion": "1.5",
                "version": 1,
                "metadata": {
                    "component": {"type": "container", "name": "flinkop", "version": version}
                },
                "components": [*_debian(target), *_python(target)],
            },
            indent=1,
        )
        + "\n"
    )


def _debian(target: Path) -> Iterator[dict[str, Any]]:
    for file in sorted((target / "var/lib/dpkg/status.d").iterdir()):
        control = email.message_from_string(file.read_text())
        name, version, arch = (control[key] for key in ("Package", "Version", "Architecture"))
        purl = f"pkg:deb/debian/{name}@{version.replace('+', '%2B')}?arch={arch}&distro={rootfs.RELEASE}"
        yield {"type": "library", "name": name, "version": version, "purl": purl, "bom-ref": purl}


def _python(target: Path) -> Iterator[dict[str, Any]]:
    for file in sorted((target / rootfs.SITE).glob("*.dist-info/METADATA")):
        metadata = email.message_from_string(file.read_text(encoding="utf-8"))
        name, version = metadata["Name"], metadata["Version"]
        purl = f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"
        component = {"type": "library", "name": name, "version": version, "purl": purl}
        licence = metadata["License-Expression"] or metadata["License"]
        if licence and "\n" not in licence:
            component["licenses"] = [{"license": {"name": licence}}]
        yield component | {"bom-ref": purl}
