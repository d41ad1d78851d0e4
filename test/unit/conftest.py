"""Fixtures and hooks for all unit tests."""

from fakes.plugin_virtualtime import pytest_asyncio_loop_factories, pytest_configure

__all__ = ["pytest_asyncio_loop_factories", "pytest_configure"]
