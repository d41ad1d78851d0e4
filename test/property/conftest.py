"""How thorough the property tests are.

By default the same examples every time, so that a red run is about the change. `--hypothesis-profile=deep`
looks for new ones for minutes, and prints what reproduces a fault.
"""

import hypothesis
import pytest

DEEP = "deep"
hypothesis.settings.register_profile("default", deadline=None, derandomize=True)
hypothesis.settings.register_profile(DEEP, max_examples=2000, deadline=None, print_blob=True)


@pytest.fixture
def life_length():
    """How long the exhaustive lives are."""
    return 6 if hypothesis.settings.get_current_profile_name() == DEEP else 4
