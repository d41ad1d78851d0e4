"""Which addresses jars may come from."""

import ipaddress

import pytest

from flinkop.artifacts import networks


def refusal(text, **options):
    """The policy's word on an address."""
    allowed = [ipaddress.ip_network(one) for one in options.pop("allowed", ())]
    return networks.refusal(ipaddress.ip_address(text), allowed=allowed, **options)


@pytest.mark.parametrize(
    "text", ["1.1.1.1", "93.184.216.34", "172.32.0.1", "2606:4700::1111", "64:ff9b::101:101"]
)
def test_public_addresses(text):
    """Jars may come from the Internet, also by a translated address of it."""
    assert refusal(text) is None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("127.0.0.1", "loopback"),
        ("127.8.9.1", "loopback"),
        ("::1", "loopback"),
        ("0.1.2.3", "unspecified"),
        ("::", "unspecified"),
        ("10.96.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.0.1", "private"),
        ("100.64.1.1", "private"),
        ("fd12:3456::1", "private"),
        ("fec0::1", "private"),
        ("169.254.1.1", "link-local"),
        ("fe80::1", "link-local"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("255.255.255.255", "reserved"),
        ("240.0.0.1", "reserved"),
        ("198.18.0.1", "reserved"),
        ("::7f00:1", "reserved"),
        ("4000::1", "reserved"),
        ("203.0.113.9", "documentation"),
        ("2001:db8::1", "documentation"),
        ("2002:7f00:1::", "tunnel"),
        ("2001:0:7f00:1::", "tunnel"),
        ("169.254.169.254", "metadata"),
        ("168.63.129.16", "metadata"),
        ("100.100.100.200", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:10.0.0.1", "private"),
        ("::ffff:169.254.169.254", "metadata"),
        ("::ffff:0:10.0.0.1", "private"),
        ("64:ff9b::10.0.0.1", "private"),
        ("64:ff9b::169.254.169.254", "metadata"),
        ("64:ff9b:1::a00:1", "private"),
    ],
)
def test_restricted_addresses(text, word):
    """Each is refused for what it is, however it is written."""
    assert refusal(text) == word


def test_allowed_ranges():
    """A range that is allowed opens itself and no more."""
    assert refusal("10.1.2.3", allowed=["10.1.0.0/16"]) is None
    assert refusal("::ffff:10.1.2.3", allowed=["10.1.0.0/16"]) is None
    assert refusal("fd00:1::5", allowed=["10.0.0.0/8", "fd00:1::/32"]) is None
    assert refusal("10.2.0.1", allowed=["10.1.0.0/16"]) == "private"


def test_unrestricted():
    """Without the rule all are allowed, except those that hand out credentials."""
    for text in ("127.0.0.1", "10.0.0.1", "169.254.20.10", "::1"):
        assert refusal(text, disallow_restricted=False) is None
    assert refusal("169.254.169.254", disallow_restricted=False) == "metadata"
    options = {"disallow_restricted": False, "allowed": ["169.254.169.254/32"]}
    assert refusal("169.254.169.254", **options) is None
