"""Flink versions: order, names, support."""

import pytest

from flinkop.api.flink_version import FlinkVersion


def test_versions_are_ordered_by_number_not_by_text():
    """The declared order is the order of releases."""
    assert sorted(FlinkVersion) == list(FlinkVersion)
    assert FlinkVersion.V1_20 < FlinkVersion.V2_0
    assert FlinkVersion.V2_0 >= FlinkVersion.V1_13


def test_versions_compare_with_versions_only():
    """Comparing with a text is a mistake and says so."""
    with pytest.raises(TypeError):
        _ = FlinkVersion.V1_20 < "v2_0"


def test_parsing_names_the_known_versions_on_failure():
    """The message helps to correct the field."""
    assert FlinkVersion.parse("v1_20") is FlinkVersion.V1_20
    with pytest.raises(ValueError, match=r"unknown Flink version 'v1_12'.*v1_13"):
        FlinkVersion.parse("v1_12")


def test_deprecation_ends_at_1_18():
    """All known versions run; those before 1.19 are deprecated."""
    assert [version.value for version in FlinkVersion if version.deprecated] == [
        "v1_13",
        "v1_14",
        "v1_15",
        "v1_16",
        "v1_17",
        "v1_18",
    ]


def test_parts_of_a_version():
    """Numbers and the release's own spelling."""
    version = FlinkVersion.V1_20
    assert (version.major, version.minor, version.release, str(version)) == (1, 20, "1.20", "v1_20")
    assert version.is_at_least(1, 17)
    assert not version.is_at_least(2, 0)
