"""Jars of the operator's own file system: `file:` and `local:` (`behaviour.md` S-20).

The reference hands every scheme but http and https to Flink's file systems, and its `file:` reads what
the operator's pod has: files of its image and of volumes. `local:`, which for applications means the
cluster's image, has no such reading there and fails; here it is the same as `file:`, because a session
job's jar always passes through the operator. Both need the operator's consent by `allowed-schemes`.
"""

import asyncio
import os
import stat
from pathlib import Path
from typing import Final

from flinkop.artifacts import errors, workspace
from flinkop.artifacts.fetching import Freshness, Sink, Source

_CHUNK: Final = 1 << 18
_NOT_FILES: Final = tuple(Path(name) for name in ("/proc", "/sys", "/dev"))
_REMEDY: Final = "Put it there in the operator's image or a volume of its pod, or mend jarURI."


class LocalFiles:
    """Reads regular files; never the kernel's, nor those that the store keeps for other jobs."""

    def __init__(self, base: Path) -> None:
        """Read files.

        Args:
            base: the directory in which stores have theirs.
        """
        self._base = base

    async def fetch(self, source: Source, sink: Sink) -> Freshness | None:
        """See `Fetcher.fetch`."""
        where = source.jar.shown
        try:
            file = await asyncio.to_thread(self._open, source.jar.path, where)
            try:
                about = os.fstat(file)
                now = Freshness(
                    f"{about.st_dev}-{about.st_ino}-{about.st_mtime_ns}-{about.st_size}"
                )
                if now == source.known:
                    return None
                await sink.begin(about.st_size)
                while chunk := await asyncio.to_thread(os.read, file, _CHUNK):
                    await sink.write(chunk)
            finally:
                os.close(file)
        except OSError as error:
            raise _unreadable(where, error) from error
        return now

    def _open(self, path: str, where: str) -> int:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        opened = Path(f"/proc/self/fd/{file}")  # where there is none, the path has to do
        real = (opened if opened.exists() else Path(path)).resolve()
        is_hidden = workspace.is_inside(real, self._base) or any(
            real.is_relative_to(other) for other in _NOT_FILES
        )
        if stat.S_ISREG(os.fstat(file).st_mode) and not is_hidden:
            return file
        os.close(file)
        raise errors.NotAJar(where, "what is there is not a plain file", _REMEDY)


def _unreadable(where: str, error: OSError) -> errors.ArtifactError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return errors.Missing(where, "the operator has no such file", _REMEDY)
    if isinstance(error, PermissionError):
        return errors.Denied(
            where,
            "the operator may not read this file",
            "Make it readable for the operator's user.",
        )
    cause = error.strerror or type(error).__name__
    return errors.BadAnswer(where, f"the operator cannot read this file: {cause}", _REMEDY)
