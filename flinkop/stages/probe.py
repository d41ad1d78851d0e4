"""How soon to look again at what no watch tells: Flink's REST API (design decision 6).

Short at first, because most transitions end within a second, then slower, up to the interval that
the reference's option names as its fixed wait.
"""

import random
from typing import Final

from attrs import define, field

from flinkop.runtime.result import Request

_FIRST_SECONDS: Final = 0.2
_FACTOR: Final = 1.5
_LAST_SECONDS: Final = 2.0
_JITTER: Final = 0.1
_PATIENT_LOOKS: Final = 35
"""About a minute; after that looks get rarer, up to the option's interval."""


@define
class ProbeBackoff:
    """Counts the looks in a row at each object; `reset` when it has arrived somewhere."""

    _looks: dict[Request, int] = field(factory=dict)
    _random: random.Random = field(factory=random.Random)

    def next_delay(self, request: Request, upper: float) -> float:
        """Return seconds until the next look at `request`, at most `upper`, but never at once."""
        looks = self._looks.get(request, 0)
        self._looks[request] = looks + 1
        delay = min(_FIRST_SECONDS * _FACTOR ** min(looks, 20), _LAST_SECONDS)
        if looks > _PATIENT_LOOKS:  # nobody watches any more: a job that waits for slots, say
            delay = _LAST_SECONDS * _FACTOR ** min(looks - _PATIENT_LOOKS, 20)
        jittered = delay * self._random.uniform(1 - _JITTER, 1 + _JITTER)
        return min(jittered, max(upper, _FIRST_SECONDS))

    def looks(self, request: Request) -> int:
        """Return how many looks in a row `request` had."""
        return self._looks.get(request, 0)

    def reset(self, request: Request) -> None:
        """Forget how often `request` was looked at."""
        self._looks.pop(request, None)
