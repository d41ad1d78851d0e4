"""What every test may use."""

import pytest
from fakes.controlplane import control_plane, end_shared, namespace, own_control_plane

__all__ = ["control_plane", "namespace", "own_control_plane"]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave nothing running."""
    end_shared(session.config)
