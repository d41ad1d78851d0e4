"""Write what the code knows best into docs/, or with --check fail when a page is stale.

    python hack/update_docs.py [--check]

`metrics.md` is written whole; of the other pages only the parts between marks are.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

HERE = Path(__file__).resolve().parent
# Runs from a checkout without being installed; plans are made from the situations of the tests.
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "test")]

from hack.pages import artifacts, decisions, metrics, phases, states  # noqa: E402

DOCS = HERE.parent / "docs"
PARTS: Final[Mapping[str, Mapping[str, Callable[[], str]]]] = {
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


def main() -> int:
    """Write or compare; 1 when a page is stale."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail when stale, write nothing")
    check = parser.parse_args().check
    pages = render()
    stale = [
        page
        for page, text in pages.items()
        if not page.is_file() or page.read_text(encoding="utf-8") != text
    ]
    if check:
        for page in stale:
            print(f"{page.name} is stale: run `make generate`", file=sys.stderr)
        return 1 if stale else 0
    for page, text in pages.items():
        page.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
