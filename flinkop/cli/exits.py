"""Exit codes."""

from typing import Final

FAILED: Final = 1
"""It was not possible this time."""
USAGE: Final = 2
"""Something given at the start cannot be used; starting again without a change will not help."""
