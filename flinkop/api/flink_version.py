"""The Flink versions that a resource may name, in order."""

import enum
import functools
from typing import Self


@functools.total_ordering
class FlinkVersion(enum.Enum):
    """A Flink minor version as `spec.flinkVersion` names it; ordered by (major, minor).

    `api.md` 6.3: the schema admits all of them, the operator runs v1_15 and later.
    """

    V1_13 = "v1_13"
    V1_14 = "v1_14"
    V1_15 = "v1_15"
    V1_16 = "v1_16"
    V1_17 = "v1_17"
    V1_18 = "v1_18"
    V1_19 = "v1_19"
    V1_20 = "v1_20"
    V2_0 = "v2_0"
    V2_1 = "v2_1"
    V2_2 = "v2_2"
    V2_3 = "v2_3"
    V2_4 = "v2_4"

    @functools.cached_property
    def number(self) -> tuple[int, int]:
        """Major and minor version: `(1, 20)`."""
        major, minor = self.value[1:].split("_")
        return int(major), int(minor)

    @property
    def major(self) -> int:
        """The major version."""
        return self.number[0]

    @property
    def minor(self) -> int:
        """The minor version."""
        return self.number[1]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `v1_20`.

        Raises:
            ValueError: no version of that name is known.
        """
        try:
            return cls(text)
        except ValueError:
            known = ", ".join(version.value for version in cls)
            raise ValueError(f"unknown Flink version {text!r}: use one of {known}") from None

    def is_at_least(self, major: int, minor: int) -> bool:
        """Tell whether this version is `major.minor` or later."""
        return self.number >= (major, minor)

    @property
    def deprecated(self) -> bool:
        """Whether Flink itself has let go of the version: v1_13 to v1_18 (`api.md` 6.3).

        They run all the same; the reference refuses v1_13 and v1_14, which its first releases ran.
        """
        return not self.is_at_least(1, 19)

    @property
    def release(self) -> str:
        """The version as Flink's own releases write it: `1.20`."""
        return f"{self.major}.{self.minor}"

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, FlinkVersion):
            return NotImplemented
        return self.number < other.number

    def __str__(self) -> str:
        return str(self.value)
