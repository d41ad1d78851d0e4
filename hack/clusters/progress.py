"""What a person sees while something takes long."""

import sys
import time

_QUIET_SECONDS = 15.0
"""Between heartbeats where output is kept (no terminal): alive, yet not a flood."""


class Progress:
    """Lines that stay, and heartbeats that replace each other on a terminal."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._begun = time.monotonic()
        self._beat_at = self._begun
        self._pending = False

    def elapsed(self) -> str:
        """Time since this object was made, such as `4m07s`."""
        seconds = int(time.monotonic() - self._begun)
        return f"{seconds // 60}m{seconds % 60:02d}s" if seconds >= 60 else f"{seconds}s"  # noqa: PLR2004

    def line(self, text: str) -> None:
        """A line that stays."""
        if self._quiet:
            return
        self._clear()
        print(f"[{self.elapsed():>6}] {text}", file=sys.stderr, flush=True)
        self._beat_at = time.monotonic()

    def beat(self, text: str) -> None:
        """A sign of life: redrawn in place on a terminal, else one line every fifteen seconds."""
        if self._quiet:
            return
        if self._terminal:
            self._clear()
            print(f"[{self.elapsed():>6}] {text}"[:100], end="", file=sys.stderr, flush=True)
            self._pending = True
        elif time.monotonic() - self._beat_at >= _QUIET_SECONDS:
            self.line(text)

    def _clear(self) -> None:
        if self._pending:
            print("\r\033[K", end="", file=sys.stderr)
            self._pending = False
