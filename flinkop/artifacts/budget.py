"""Shares out the bytes of a disk: whoever finds too few waits in line until others give theirs back."""

import asyncio
from collections.abc import Awaitable, Callable


class Budget:
    """A number of bytes, taken at once or not at all, so that nobody waits while holding a part."""

    def __init__(self, size: int, make_room: Callable[[], Awaitable[bool]]) -> None:
        """Share out `size` bytes.

        Args:
            size: how many there are.
            make_room: gives back something that nobody uses; False when there is nothing.
        """
        self.size = size
        self._free = size
        self._make_room = make_room
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()

    @property
    def free(self) -> int:
        """How many bytes nobody has."""
        return self._free

    async def take(self, count: int) -> None:
        """Take `count` bytes, at most `size`; first come, first served."""
        async with self._turn:
            while self._free < count:
                self._changed.clear()
                if not await self._make_room():
                    await self._changed.wait()
            self._free -= count

    def give_back(self, count: int) -> None:
        """Give `count` bytes back."""
        self._free += count
        self._changed.set()

    def look_again(self) -> None:
        """Say that `make_room` may find something now."""
        self._changed.set()
