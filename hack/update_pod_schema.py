"""Refresh flinkop/crds/pod-schema.json, the Pod part of Kubernetes' OpenAPI, from a running API server.

    kubectl get --raw /openapi/v3/api/v1 | python hack/update_pod_schema.py

What older documents had is never dropped, because a field that the CRDs once accepted must stay
accepted. Only what a structural schema needs is kept: types, members, items.
"""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = "io.k8s.api.core.v1.Pod"
STORE = Path(__file__).parent.parent / "flinkop" / "crds" / "pod-schema.json"
_PREFIX = "#/components/schemas/"


def main() -> int:
    """Merge the document on standard input into the stored one."""
    definitions = json.load(sys.stdin)["components"]["schemas"]
    if ROOT not in definitions:
        print(f"{ROOT} is not in the document: give it /openapi/v3/api/v1", file=sys.stderr)
        return 1
    stored = json.loads(STORE.read_text()) if STORE.exists() else {}
    merged = merge(stored, reachable(definitions))
    STORE.write_text(json.dumps(merged, indent=1, sort_keys=True) + "\n")
    print(f"{STORE.name}: {len(merged)} definitions")
    return 0


def reachable(definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the trimmed definitions that a Pod is made of."""
    found: dict[str, Any] = {}
    todo = [ROOT]
    while todo:
        name = todo.pop()
        if name not in found:
            found[name] = trim(definitions[name], todo)
    return found


def trim(schema: dict[str, Any], references: list[str]) -> dict[str, Any]:
    """Keep what a structural schema needs of one schema; add what it refers to to `references`."""
    if "allOf" in schema:  # a reference beside a default or a description
        (schema,) = schema["allOf"]
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_PREFIX)
        references.append(name)
        return {"$ref": name}
    kept: dict[str, Any] = {key: schema[key] for key in ("type", "format") if key in schema}
    if "properties" in schema:
        kept["properties"] = {
            name: trim(member, references) for name, member in schema["properties"].items()
        }
    for key in ("items", "additionalProperties"):
        if key in schema:
            kept[key] = trim(schema[key], references)
    return kept


def merge(old: Any, new: Any) -> Any:
    """Return `new` with what only `old` has."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {
            key: merge(old[key], new[key])
            if key in old and key in new
            else new.get(key, old.get(key))
            for key in (*new, *(key for key in old if key not in new))
        }
    return new


if __name__ == "__main__":
    sys.exit(main())
