"""JSON documents ↔ attrs classes: camelCase, nulls as absent, unknown members kept, exact error paths.

msgspec parses the bytes, cattrs' generated code makes the objects (`structuring`); writing goes by a plan
per class (`unstructuring`). Of two converters made from the same hooks the detailed one is asked only
after the fast one failed, because it knows where.

Decoding takes bytes (also `msgspec.Raw`, memoryview), a plain object, or None. Absent, empty and null
documents decode as an empty object: a resource without a spec is legal (`api.md` 1.3). What cannot be
understood raises DecodeError and nothing else.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from cattrs.errors import BaseValidationError

from flinkop.api import structuring, unstructuring
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.api.flinkstatesnapshot import FlinkStateSnapshotSpec, FlinkStateSnapshotStatus
from flinkop.api.status import CommonStatus, FlinkDeploymentStatus, FlinkSessionJobStatus
from flinkop.api.wire import DecodeError, Mismatch

T = TypeVar("T")

JsonText = bytes | bytearray | memoryview | msgspec.Raw
Document = JsonText | Mapping[str, Any] | None
"""What decoding reads: JSON text, or what parsing it gave."""


def decode_flinkdeployment_spec(raw: Document) -> FlinkDeploymentSpec:
    """Read the spec of a FlinkDeployment; DecodeError paths start with `spec`."""
    return decode(raw, FlinkDeploymentSpec, "spec")


def decode_flinkdeployment_status(raw: Document) -> FlinkDeploymentStatus:
    """Read the status of a FlinkDeployment; DecodeError paths start with `status`."""
    return decode(raw, FlinkDeploymentStatus, "status")


def decode_flinksessionjob_spec(raw: Document) -> FlinkSessionJobSpec:
    """Read the spec of a FlinkSessionJob; DecodeError paths start with `spec`."""
    return decode(raw, FlinkSessionJobSpec, "spec")


def decode_flinksessionjob_status(raw: Document) -> FlinkSessionJobStatus:
    """Read the status of a FlinkSessionJob; DecodeError paths start with `status`."""
    return decode(raw, FlinkSessionJobStatus, "status")


def decode_flinkstatesnapshot_spec(raw: Document) -> FlinkStateSnapshotSpec:
    """Read the spec of a FlinkStateSnapshot; DecodeError paths start with `spec`."""
    return decode(raw, FlinkStateSnapshotSpec, "spec")


def decode_flinkstatesnapshot_status(raw: Document) -> FlinkStateSnapshotStatus:
    """Read the status of a FlinkStateSnapshot; DecodeError paths start with `status`."""
    return decode(raw, FlinkStateSnapshotStatus, "status")


def decode(raw: Document, into: type[T], path: str) -> T:
    """Read one document as the API class `into`.

    Raises:
        DecodeError: the text is not JSON, or a member has a type or value that cannot be understood;
            its path starts with `path`.
    """
    document = _parse(raw, path)
    if document is None:
        return into()
    try:
        return _FAST.structure(document, into)
    except Exception:  # noqa: BLE001 - the detailed converter tells what it was
        return _explain(document, into, path)


Omit = unstructuring.Omit
encode = unstructuring.encode


def encode_spec(spec: object) -> dict[str, Any]:
    """Return a spec as a plain object; members that equal their default are left out."""
    return encode(spec, Omit.DEFAULTS)


def encode_status(
    status: CommonStatus | FlinkStateSnapshotStatus,
) -> dict[str, Any]:
    """Return a status as a plain object for `/status`, in the order of its class, without nulls."""
    return encode(status, Omit.NULLS)


def _parse(raw: Document, path: str) -> Any:
    if not isinstance(raw, JsonText):
        return raw
    if not memoryview(raw):
        return None
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DecodeError(path, f"is not JSON: {error}") from None
    except RecursionError:
        raise DecodeError(path, "is nested too deeply to be read") from None


_FAST = structuring.converter(detailed=False)
_DETAILED = structuring.converter(detailed=True)


def _explain(document: Any, into: type[T], path: str) -> T:
    try:
        return _DETAILED.structure(document, into)
    except Mismatch as error:
        found = error
    except BaseValidationError as error:
        found = structuring.locate(error)
    raise DecodeError(path + found.suffix, found.message)
