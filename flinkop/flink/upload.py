"""A jar as the multipart body that `/jars/upload` wants, streamed from its file."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from flinkop.flink.transport import Body

_CHUNK: Final = 1 << 18


def jar_body(path: Path, name: str | None = None) -> Body:
    """Return the body for uploading the file at `path` under `name` (default: the file's own).

    Raises:
        OSError: the file cannot be read.
    """
    boundary = secrets.token_hex(16)
    shown = (name or path.name).replace('"', "%22").replace("\r", "").replace("\n", "")
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="jarfile"; filename="{shown}"\r\n'
        "Content-Type: application/java-archive\r\n\r\n"
    ).encode()
    tail = f"\r\n--{boundary}--\r\n".encode()

    async def chunks() -> AsyncIterator[bytes]:
        yield head
        with await asyncio.to_thread(path.open, "rb") as file:
            while part := await asyncio.to_thread(file.read, _CHUNK):
                yield part
        yield tail

    size = len(head) + path.stat().st_size + len(tail)
    return Body(f"multipart/form-data; boundary={boundary}", size, chunks)
