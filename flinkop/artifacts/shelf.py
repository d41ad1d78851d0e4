"""The jars on disk: who uses which, and which goes when room is needed: the one longest unused."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from pathlib import Path
from typing import Any

from attrs import define

from flinkop.artifacts.budget import Budget
from flinkop.artifacts.fetching import Freshness


@define(eq=False)
class Kept:
    """A file on disk.

    Attributes:
        path: the file, which nobody changes any more.
        size: its bytes, taken from the budget.
        freshness: by what its server tells whether it is still right.
        users: how many use it now.
        retired: whether it goes with its last user.
    """

    path: Path
    size: int
    freshness: Freshness
    users: int = 0
    retired: bool = False


class Shelf:
    """Files by what they were fetched for, the longest unused first."""

    def __init__(self, size: int, spawn: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        """Keep at most `size` bytes.

        Args:
            size: bytes of all files together, those on their way included.
            spawn: runs the removal of a file that its last user has left.
        """
        self.budget = Budget(size, self._evict_one)
        self._spawn = spawn
        self._files: dict[Hashable, Kept] = {}

    def find(self, key: Hashable) -> Kept | None:
        """Return the file for `key`, which becomes the one used last."""
        found = self._files.pop(key, None)
        if found is not None:
            self._files[key] = found
        return found

    def put(self, key: Hashable, file: Kept) -> None:
        """Keep a file; one that it replaces goes as soon as nobody uses it."""
        older = self._files.pop(key, None)
        self._files[key] = file
        if older is not None:
            self._retire(older)

    def hold(self, file: Kept) -> None:
        """Note one more user: the file stays."""
        file.users += 1

    def let_go(self, file: Kept) -> None:
        """Note one user less."""
        file.users -= 1
        if file.users:
            return
        if file.retired:
            self._spawn(self._remove(file))
        else:
            self.budget.look_again()

    def _retire(self, file: Kept) -> None:
        file.retired = True
        if not file.users:
            self._spawn(self._remove(file))

    async def _evict_one(self) -> bool:
        for key, file in self._files.items():
            if not file.users:
                del self._files[key]
                await self._remove(file)
                return True
        return False

    async def _remove(self, file: Kept) -> None:
        try:
            await asyncio.to_thread(file.path.unlink, missing_ok=True)
        finally:
            self.budget.give_back(file.size)


class Holding:
    """One use of a file, which may end before its user does."""

    def __init__(self, file: Kept, shelf: Shelf) -> None:
        """Take over a use that `Shelf.hold` has noted."""
        self.file = file
        self._shelf = shelf
        self.is_held = True

    def end(self) -> None:
        """End it, if that has not been done."""
        if self.is_held:
            self.is_held = False
            self._shelf.let_go(self.file)
