"""What is judged before anything is asked on the network."""

import ipaddress

import pytest

from flinkop.artifacts import errors, policy
from flinkop.artifacts.terms import Terms

ALL = Terms(allowed_schemes=frozenset({"https", "http", "s3", "file", "local", "abfss"}))


def test_only_https_by_default():
    """Without an option, only https is allowed, and the refusal names the option."""
    assert policy.admit("HTTPS://jars.example/a.jar", Terms()).scheme == "https"
    for text in ("http://jars.example/a.jar", "s3://bucket/a.jar", "file:///a.jar", "local:///a"):
        with pytest.raises(errors.RefusedScheme, match=r"artifacts\.allowed-schemes") as caught:
            policy.admit(text, Terms())
        assert not caught.value.retryable


@pytest.mark.parametrize("text", ["https:///a.jar", "https:a.jar", "s3:///a.jar", "https://:80/a"])
def test_a_host_is_needed(text):
    """A server's or a bucket's URI has one."""
    with pytest.raises(errors.InvalidUri, match="must include a host"):
        policy.admit(text, ALL)


def test_files():
    """A file's URI has an absolute path and no host."""
    assert policy.admit("file:///opt/a.jar", ALL).path == "/opt/a.jar"
    with pytest.raises(errors.InvalidUri, match="three slashes, local:///"):
        policy.admit("local://opt/a.jar", ALL)
    for text in ("file:a.jar", "file:", "file:///a%00.jar"):
        with pytest.raises(errors.InvalidUri, match="not absolute"):
            policy.admit(text, ALL)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "169.254.169.254", "[fe80::1%25eth0]", "10.0.0.1:8081"]
)
def test_literal_addresses(host):
    """An address in the URI itself is judged at once."""
    with pytest.raises(errors.RefusedHost, match=r"artifacts\.allowed-networks") as caught:
        policy.admit(f"https://{host}/a.jar", ALL)
    assert not caught.value.retryable


def test_every_address_counts():
    """A host is refused for one bad address among good ones."""
    good, bad = ipaddress.ip_address("1.1.1.1"), ipaddress.ip_address("10.0.0.1")
    policy.check_addresses("jars.example", [good], "x", ALL)
    with pytest.raises(errors.RefusedHost, match=r"jars\.example.*10\.0\.0\.1 \(a private"):
        policy.check_addresses("jars.example", [good, bad], "x", ALL)


def test_buckets_have_no_address():
    """What stands where a host would is a bucket's name for object stores."""
    assert policy.admit("s3://10.0.0.1/a.jar", ALL).host == "10.0.0.1"
