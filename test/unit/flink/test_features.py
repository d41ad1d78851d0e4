"""Versions and addresses."""

import pytest

from flinkop.flink import address, features
from flinkop.flink.address import Cluster, Template, in_cluster


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("1.20.5", (1, 20)),
        ("2.2-SNAPSHOT", (2, 2)),
        ("v1_15", (1, 15)),
        ("next", None),
        ("", None),
        ("2", None),
    ],
)
def test_versions_are_read(text, version):
    """Releases, snapshots and the spec's spelling are understood."""
    assert features.parse(text) == version


def test_newest_has_everything():
    """An unknown version is taken for one that knows all."""
    assert features.CLAIM_MODE <= features.NEWEST
    assert str(features.CLAIM_MODE) == "1.20"


def test_service_address():
    """In a cluster the REST Service is spoken to, by TLS when it is on (S-1)."""
    assert in_cluster(Cluster("ns", "a")) == "http://a-rest.ns:8081"
    assert in_cluster(Cluster("ns", "a", port=9, tls=True)) == "https://a-rest.ns:9"
    assert str(Cluster("ns", "a")) == "ns/a"


def test_template_address():
    """A template names the cluster where it wants, without a slash at the end."""
    template = Template("{scheme}://host:1/{namespace}/{name}/")
    assert template(Cluster("ns", "a", tls=True)) == "https://host:1/ns/a"
    assert "namespace" in repr(template)


@pytest.mark.parametrize("text", ["http://{other}", "http://{}", "ftp://{name}", "{name", ""])
def test_wrong_templates(text):
    """A template with another placeholder, or that is no address, is refused with its text."""
    with pytest.raises(ValueError, match="address template"):
        address.Template(text)
