"""Write what the code knows best into docs/, or with --check fail when a page is stale.

    python hack/update_docs.py [--check]

`metrics.md` is written whole; of the other pages only the parts between marks are.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

HERE = Path(__file__).resolve().parent
# Runs from a checkout without being installed; plans are made from the situations of the tests.
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "test")]

from hack import generated  # noqa: E402
from hack.pages import artifacts, decisions, metrics, options, phases, states  # noqa: E402

DOCS = HERE.parent / "docs"
PARTS: Final[Mapping[str, Mapping[str, Callable[[], str]]]] = {
    "configuration.md": {
        "options": options.own,
        "metrics": options.metrics,
        "bluegreen": options.bluegreen,
        "autoscaler": options.autoscaler,
        "without": options.without,
        "older": options.older,
    },
    "snapshots.md": {"states": states.snapshots},
    "job-lifecycle.md": {
        "states": states.deployments,
        "meanings": states.meanings,
        "decisions": decisions.table,
        "phases": phases.table,
    },
    "artifacts.md": {"options": artifacts.table},
}
"""What is generated, by page and by the name of its marks."""


def filled(page: str, part: str, content: str) -> str:
    """Return `page` with `content` between the marks of `part`.

    Raises:
        ValueError: the page has no such marks.
    """
    head, begin, rest = page.partition(f"<!-- {part}: ")
    mark, close, rest = rest.partition(" -->\n")
    _, end, tail = rest.partition(f"<!-- end of {part} -->")
    if not (begin and close and end):
        raise ValueError(f"the marks of {part!r} are missing")
    return f"{head}{begin}{mark}{close}{content}\n{end}{tail}"


def render() -> dict[Path, str]:
    """Return the pages to write and what belongs in them."""
    pages = {DOCS / "metrics.md": metrics.page()}
    for name, parts in PARTS.items():
        text = (DOCS / name).read_text(encoding="utf-8")
        for part, content in parts.items():
            text = filled(text, part, content())
        pages[DOCS / name] = text
    return pages


if __name__ == "__main__":
    sys.exit(generated.run(__doc__, render))
