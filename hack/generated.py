"""Files that are made from the code: written, or with --check compared with what they should be."""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run(
    doc: str | None, render: Callable[[], Mapping[Path, str]], there: Iterable[Path] = ()
) -> int:
    """Do what the command line says; return the exit code, 1 when a file is stale.

    Args:
        doc: the program's docstring, whose first line is its description.
        render: returns the files and what belongs in them.
        there: files of which those that are not among the rendered are nobody's, and go.
    """
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail when stale, write nothing")
    check = parser.parse_args().check
    files = render()
    stale = [
        path
        for path, text in files.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    stray = [path for path in there if path not in files]
    if check:
        for path in (*stale, *stray):
            print(f"{path.relative_to(ROOT)} is stale: run `make generate`", file=sys.stderr)
        return 1 if stale or stray else 0
    for path in stray:
        path.unlink()
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0
