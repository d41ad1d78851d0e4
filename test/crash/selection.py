"""Which crashes are tried: all, some by name, or the telling ones when it has to be quick; pure."""

from collections.abc import Callable, Collection

from crash.writes import Crash, Relay, is_flinks


def chosen(only: Collection[Crash], *, quick: bool) -> Callable[[Crash], bool]:
    """Return what says whether a crash is to be tried.

    Args:
        only: no others, when there are any.
        quick: relays, which kill at every write for the price of five points, and points at writes to
            Flink, which cannot be taken back.
    """

    def judge(crash: Crash) -> bool:
        if only:
            return crash in only
        return not quick or isinstance(crash, Relay) or is_flinks(crash.write)

    return judge
