"""Which crashes are tried: all, some by name, or the telling ones when it has to be quick; pure."""

from collections.abc import Callable, Collection

from crash.writes import Crash, Point

_PASSED_BY = ("create events", "patch events", "create services", "create configmaps")
"""Writes that nothing later depends on, or that only repeat what the write before them shows."""


def chosen(only: Collection[Crash], *, quick: bool) -> Callable[[Crash], bool]:
    """Return what says whether a crash is to be tried.

    Args:
        only: no others, when there are any.
        quick: whether to leave out writes of little consequence.
    """

    def judge(crash: Crash) -> bool:
        if only:
            return crash in only
        passed_by = isinstance(crash, Point) and crash.write.what.startswith(_PASSED_BY)
        return not (quick and passed_by)

    return judge
