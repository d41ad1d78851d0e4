"""What bytes are: a jar, or what servers give in the place of one."""

import io
import zipfile
from pathlib import Path
from typing import Final

from flinkop.artifacts import errors

ENOUGH: Final = 512
"""How many first bytes tell."""

_MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06")
_KNOWN: Final = (
    (b"\x1f\x8b", "gzip data"),
    (b"%PDF", "a PDF document"),
    (b"\x7fELF", "a program"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself"),
    (b"<?xml", "an XML document, as object stores answer errors"),
    (b"{", "a JSON document"),
)


def check_start(start: bytes, where: str) -> None:
    """Refuse content that does not begin as a ZIP file, which every jar is.

    Raises:
        NotAJar: it does not; the message says what it looks like.
    """
    if start.startswith(_MAGIC):
        return
    raise errors.NotAJar(
        where,
        f"what is there is no jar but {_looks_like(start)}",
        "Give the address of the file itself, as a download without login.",
    )


def check_end(path: Path, where: str) -> None:
    """Refuse a file that lacks the directory at the end of every ZIP file; reads the file.

    Raises:
        CutOff: it does.
        OSError: it cannot be read.
    """
    if not zipfile.is_zipfile(path):
        raise errors.CutOff(
            where,
            "the jar ends before its end",
            "It is tried again; see whether the file is whole on the server.",
        )


def empty_jar() -> bytes:
    """Return a jar with nothing but a manifest, for jobs that name none (`behaviour.md` S-20)."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as jar:
        jar.writestr(zipfile.ZipInfo("META-INF/MANIFEST.MF"), "Manifest-Version: 1.0\r\n\r\n")
    return held.getvalue()


def _looks_like(start: bytes) -> str:
    if not start:
        return "an empty file"
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"<") and b"html" in text:
        return "a web page (HTML)"
    for beginning, name in _KNOWN:
        if text.startswith(beginning.lower()):
            return name
    return f"something that begins with the bytes {start[:4].hex(' ')}"
