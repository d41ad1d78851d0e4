"""Terms and bounds from the configuration."""

from pathlib import Path

import pytest

from flinkop.artifacts.terms import Bounds, Terms
from flinkop.config.errors import ConfigError
from flinkop.config.flink_conf import FlinkConf

PREFIX = "kubernetes.operator.user.artifacts."


def test_defaults():
    """An empty configuration gives the defaults of the classes."""
    assert Terms.read(FlinkConf(), FlinkConf()) == Terms()
    assert Bounds.read(FlinkConf()) == Bounds(directory=Path("/opt/flink/artifacts"))


def test_everything_set():
    """All that protects comes from the operator, the headers from the resource."""
    operator = FlinkConf(
        {
            PREFIX + "allowed-schemes": "HTTPS,s3",
            PREFIX + "disallow-restricted-hosts": "false",
            PREFIX + "allowed-networks": "10.1.0.0/16",
            PREFIX + "max-size": "5 mb",
            PREFIX + "connect-timeout": "1 s",
            PREFIX + "idle-timeout": "2 s",
            PREFIX + "download-timeout": "3 s",
            PREFIX + "min-speed": "0",
            PREFIX + "base.dir": "/data/jars",
            PREFIX + "cache-size": "6 mb",
            PREFIX + "max-concurrent-downloads": "2",
            "s3.endpoint": "http://minio:9000",
            "s3.secret-key": "hunter2",
            "taskmanager.numberOfTaskSlots": "2",
        }
    )
    resource = FlinkConf(
        {
            PREFIX + "http.header": "B:2,A:1",
            PREFIX + "allowed-schemes": "file",
            PREFIX + "max-size": "9 gb",
            "s3.endpoint": "http://evil:9000",
        }
    )
    terms = Terms.read(operator, resource)
    assert terms.allowed_schemes == {"https", "s3"}
    assert not terms.disallow_restricted_hosts
    assert [str(one) for one in terms.allowed_networks] == ["10.1.0.0/16"]
    assert terms.headers == (("A", "1"), ("B", "2"))
    assert dict(terms.stores) == {"s3.endpoint": "http://minio:9000", "s3.secret-key": "hunter2"}
    assert (terms.max_size, terms.min_speed) == (5 << 20, 0)
    assert (terms.connect_timeout, terms.idle_timeout, terms.download_timeout) == (1, 2, 3)
    assert "hunter2" not in repr(terms)
    bounds = Bounds.read(operator)
    assert bounds == Bounds(directory=Path("/data/jars"), disk=6 << 20, downloads=2)


@pytest.mark.parametrize("headers", ["{'X-Key': \"a\\nhunter2\"}", "'a b:hunter2'"])
def test_headers_that_cannot_be_sent(headers):
    """A header that would break out of its line is refused, and its value not shown."""
    resource = FlinkConf({PREFIX + "http.header": headers})
    with pytest.raises(ConfigError, match=r"http\.header") as caught:
        Terms.read(FlinkConf(), resource)
    assert "hunter2" not in str(caught.value)


def test_no_downloads_at_all():
    """A process that may not download is a mistake."""
    with pytest.raises(ConfigError, match="must be 1 or more"):
        Bounds.read(FlinkConf({PREFIX + "max-concurrent-downloads": "0"}))
