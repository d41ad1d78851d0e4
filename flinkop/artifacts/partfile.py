"""A jar on its way to the disk: the sink of one fetch."""

import asyncio
import errno
import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from flinkop.artifacts import content, errors
from flinkop.artifacts.budget import Budget
from flinkop.artifacts.fetching import Source
from flinkop.artifacts.pace import Timer
from flinkop.config import artifact_options

T = TypeVar("T")

_FLUSH: Final = 1 << 18
_DISK: Final = "the operator's disk"


class PartFile:
    """Takes bytes until `finish` or `discard`; one of the two must be called.

    Bytes are collected to pieces of 256 KiB, which threads write: neither a slow disk nor a server that
    sends single bytes holds the event loop up.
    """

    def __init__(
        self,
        path: Path,
        source: Source,
        budget: Budget,
        timer: Timer,
        on_begin: Callable[[], None],
    ) -> None:
        """Make a sink.

        Args:
            path: the file to be made.
            source: what is fetched.
            budget: where room for it is taken from.
            timer: told of each byte.
            on_begin: called before room is taken: what was known of the source is of no use any more.
        """
        self._path = path
        self._on_begin = on_begin
        self._source = source
        self._where = source.jar.shown
        self._budget = budget
        self._timer = timer
        self._reserved = 0
        self._announced: int | None = None
        self._received = 0
        self._begun = False
        self._is_zip = False
        self._pending = bytearray()
        self._hash = hashlib.sha256()
        self._file = -1
        self._is_gone = False
        self._guard = threading.Lock()  # work that was cancelled goes on in its thread

    @property
    def received(self) -> int:
        """See `Sink.received`."""
        return self._received

    async def begin(self, size: int | None) -> None:
        """See `Sink.begin`."""
        room = self._room_for(size)
        self._on_begin()
        self._announced = size
        with self._timer.resting("room for jars on the operator's disk"):
            if room != self._reserved:
                self._budget.give_back(self._reserved)
                self._reserved = 0
                await self._budget.take(room)
                self._reserved = room
            await self._on_disk(self._start_anew)
        self._received = 0
        self._begun = True
        self._is_zip = False
        self._pending.clear()
        self._hash = hashlib.sha256()

    async def write(self, chunk: bytes) -> None:
        """See `Sink.write`."""
        self._timer.received(len(chunk))
        self._received += len(chunk)
        if self._received > self._reserved:
            raise self._too_large(None)
        self._pending += chunk
        if not self._is_zip and len(self._pending) >= content.ENOUGH:
            self._check_start()
        if len(self._pending) >= _FLUSH:
            await self._flush()

    async def finish(self) -> int:
        """Check what has come and keep it; return its size, which stays taken from the budget.

        Raises:
            NotAJar: it is something else.
            CutOff: it is not whole.
            WrongChecksum: it is not what the URI pins.
            DiskTrouble: it cannot be written.
        """
        if not self._begun:
            raise errors.BadAnswer(self._where, "nothing came", "It is tried again.")
        if self._announced is not None and self._received < self._announced:
            raise errors.CutOff(
                self._where,
                f"{self._received} of {self._announced} announced bytes have come",
                "It is tried again; see whether the file is whole on the server.",
            )
        if not self._is_zip:
            self._check_start()
        await self._flush()
        with self._timer.resting(_DISK):
            await self._on_disk(self._close)
            await self._on_disk(lambda: content.check_end(self._path, self._where))
        self._check_pin()
        self._budget.give_back(self._reserved - self._received)
        return self._received

    async def discard(self) -> None:
        """Leave nothing behind."""
        try:
            await asyncio.to_thread(self._remove)
        finally:
            self._budget.give_back(self._reserved)
            self._reserved = 0

    def _room_for(self, size: int | None) -> int:
        largest = min(self._source.terms.max_size, self._budget.size)
        if size is None:
            return largest
        if size > largest:
            raise self._too_large(size)
        return size

    def _too_large(self, size: int | None) -> errors.TooLarge:
        if self._announced is not None:
            return errors.TooLarge(
                self._where,
                f"more than the {self._announced} announced bytes have come",
                "Mend the server.",
            )
        limit = self._source.terms.max_size
        key = artifact_options.MAX_SIZE.key
        if self._budget.size < limit:
            limit, key = self._budget.size, artifact_options.CACHE_SIZE.key
        said = "it is larger" if size is None else f"its {size} bytes are more"
        return errors.TooLarge(
            self._where,
            f"{said} than the {limit} bytes that a jar may have",
            f"Make it smaller, or raise the operator's {key}.",
        )

    def _check_start(self) -> None:
        content.check_start(bytes(self._pending[: content.ENOUGH]), self._where)
        self._is_zip = True

    def _check_pin(self) -> None:
        pin = self._source.jar.sha256
        if pin is None or pin == self._hash.hexdigest():
            return
        raise errors.WrongChecksum(
            self._where,
            f"its SHA-256 is {self._hash.hexdigest()}, jarURI pins {pin}",
            "Find out who changed the file, or mend what follows #sha256= in jarURI.",
        )

    async def _flush(self) -> None:
        piece = bytes(self._pending)
        self._pending.clear()
        with self._timer.resting(_DISK):
            await self._on_disk(lambda: self._append(piece))

    async def _on_disk(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except OSError as error:
            raise disk_trouble(self._where, error) from error

    # --- in threads

    def _start_anew(self) -> None:
        with self._guard:
            if self._is_gone:
                return
            if self._file < 0:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
                self._file = os.open(self._path, flags, 0o600)
            os.ftruncate(self._file, 0)
            os.lseek(self._file, 0, os.SEEK_SET)

    def _append(self, piece: bytes) -> None:
        with self._guard:
            if self._is_gone:
                return
            if self._source.jar.sha256 is not None:
                self._hash.update(piece)
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(self._file, rest) :]

    def _close(self) -> None:
        with self._guard:
            if self._file >= 0:
                file, self._file = self._file, -1
                os.close(file)

    def _remove(self) -> None:
        self._is_gone = True
        self._close()
        self._path.unlink(missing_ok=True)


def disk_trouble(where: str, error: OSError) -> errors.DiskTrouble:
    """Return the error for a disk that does not take a jar."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        cause = "the operator's disk is full"
        remedy = f"Give it more room, or lower its {artifact_options.CACHE_SIZE.key}."
    else:
        cause = f"the operator cannot keep it: {error.strerror or type(error).__name__}"
        if error.filename:
            cause += f" ({os.fsdecode(error.filename)})"
        remedy = "Let its kubernetes.operator.user.artifacts.base.dir name a directory that it may write."
    return errors.DiskTrouble(where, cause, remedy)
