"""Answers of real JobManagers, as files: `test/flinksim/recorded/<version>/<conversation>/<call>.json`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fakes.flinktalk import Answer
from fakes.programs import ROOT

FOLDER = ROOT / "test" / "flinksim" / "recorded"
_LONGEST = 300
"""Characters kept of a text: stack traces and serialized throwables are cut."""
_MANY = 6
"""Entries kept of a list."""


def write(folder: Path, answers: Mapping[str, Answer]) -> None:
    """Write a conversation anew."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.json"):
        file.unlink()
    for name, answer in answers.items():
        content = {"status": answer.status, "body": _cut(answer.body)}
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text + "\n")


def read(folder: Path) -> dict[str, Answer]:
    """Read a conversation."""
    found = {file.stem: json.loads(file.read_text()) for file in folder.glob("*.json")}
    return {name: Answer(one["status"], one["body"]) for name, one in found.items()}


def versions() -> list[str]:
    """The versions of Flink that there are recordings of."""
    return sorted(path.name for path in FOLDER.glob("*") if path.is_dir())


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _cut(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_cut(inner) for inner in value[:_MANY]]
    if isinstance(value, str) and len(value) > _LONGEST:
        return value[:_LONGEST] + "…"
    return value
