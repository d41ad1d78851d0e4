"""The spec last acted on, as it is remembered in the status (`api.md` 3.4, `behaviour.md` 0.2).

`lastReconciledSpec` and `lastStableSpec` are JSON texts:

    {"spec":{…},"resource_metadata":{"apiVersion":"flink.apache.org/v1beta1","firstDeployment":true}}

They are written in the reference's form, all fields with their nulls and defaults in its order, so that
either operator can take over from the other without seeing a change. Three generations are read (`Form`): the
wrapper above, the same with a nested `metadata` that holds the spec's generation, and the bare spec of 1.0.
"""

import enum
from typing import Any, Generic, TypeVar

import attrs
import msgspec

from flinkop.api import codec
from flinkop.api.common import AbstractSpec
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.api.wire import DecodeError, describe

API_VERSION = "flink.apache.org/v1beta1"


class Form(enum.Enum):
    """The generations of the text, by the releases of the reference that wrote them."""

    BARE = "1.0"
    WITH_METADATA = "1.1 to 1.9"
    SINCE_1_10 = "1.10 and later"


SpecT_co = TypeVar("SpecT_co", bound=AbstractSpec, covariant=True)
SpecT = TypeVar("SpecT", bound=AbstractSpec)

_PATH = "status.reconciliationStatus.lastReconciledSpec"


@attrs.frozen
class RecordedSpec(Generic[SpecT_co]):
    """A remembered spec.

    Attributes:
        spec: the spec; its job state, upgrade mode and trigger nonces are what happened, not what the
            user asked for.
        first_deployment: whether it belongs to the first deployment; None where the text does not say
            (releases 1.0 and 1.1).
        generation: `metadata.generation` that it belongs to; None where the text does not say, which since
            release 1.10 is `observedGeneration`'s business alone.
        form: which generation of the text it was read from.
    """

    spec: SpecT_co
    first_deployment: bool | None
    generation: int | None = None
    form: Form = Form.SINCE_1_10


def encode(spec: AbstractSpec, first_deployment: bool | None) -> str:  # noqa: FBT001 - mirrors RecordedSpec
    """Return the text to remember; equal specs give equal texts. Unknown (None) is written as false."""
    document = {
        "spec": codec.encode(spec, codec.Omit.NOTHING),
        # The reference refuses other members here.
        "resource_metadata": {"apiVersion": API_VERSION, "firstDeployment": bool(first_deployment)},
    }
    return msgspec.json.encode(document).decode()


def decode(text: str, path: str = _PATH) -> RecordedSpec[FlinkDeploymentSpec]:
    """Read what is remembered of a FlinkDeployment.

    Raises:
        DecodeError: the text cannot be understood; `path` says where it was found.
    """
    return _decode(text, FlinkDeploymentSpec, path)


def decode_sessionjob(text: str, path: str = _PATH) -> RecordedSpec[FlinkSessionJobSpec]:
    """Read what is remembered of a FlinkSessionJob.

    Raises:
        DecodeError: the text cannot be understood; `path` says where it was found.
    """
    return _decode(text, FlinkSessionJobSpec, path)


def _decode(text: str, into: type[SpecT], path: str) -> RecordedSpec[SpecT]:
    document = _parse(text, path)
    spec = document.get("spec")
    if spec is None and "resource_metadata" not in document:
        bare = {key: value for key, value in document.items() if key != "apiVersion"}
        return RecordedSpec(codec.decode(bare, into, path), None, form=Form.BARE)
    known = document.get("resource_metadata")
    metadata = known if isinstance(known, dict) else {}
    first = metadata.get("firstDeployment")
    nested = metadata.get("metadata")
    generation = nested.get("generation") if isinstance(nested, dict) else None
    return RecordedSpec(
        spec=codec.decode(spec, into, f"{path}.spec"),
        first_deployment=first if isinstance(first, bool) else None,
        generation=generation if type(generation) is int else None,
        form=Form.WITH_METADATA if nested is not None else Form.SINCE_1_10,
    )


def _parse(text: str, path: str) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise DecodeError(path, f"is not JSON: {error}") from None
    except RecursionError:
        raise DecodeError(path, "is nested too deeply to be read") from None
    if not isinstance(document, dict):
        raise DecodeError(path, f"must be an object, but is {describe(document)}")
    return document
