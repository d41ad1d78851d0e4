"""Reading of URIs and judging of addresses, for whatever is thrown at them."""

import ipaddress
import ssl
import types

from hypothesis import assume, example, given, strategies as st

from flinkop.artifacts import errors, networks, policy, uri
from flinkop.artifacts.dialing import look_up
from flinkop.artifacts.fetching import Source
from flinkop.artifacts.redirects import Browser
from flinkop.artifacts.terms import Terms

HIDDEN = "hunter2"
TERMS = Terms(allowed_schemes=frozenset({"http", "https", "s3", "file"}))
TRUST = ssl.create_default_context()
PART = st.text(st.characters(codec="utf-8"), max_size=20)
V4 = st.ip_addresses(v=4)
V6 = st.ip_addresses(v=6)


@given(st.one_of(st.text(max_size=80), st.from_regex(r"(https?|s3|file)://\S{0,60}")))
@example("https://[")
@example("http://[::1]]:80/")
@example("http://a:٣/")
def test_any_text_is_read_or_refused(text):
    """Nothing but InvalidUri comes out of reading, nothing but refusals out of judging."""
    try:
        read = uri.parse(text)
    except errors.InvalidUri:
        return
    assert read.name.endswith(".jar")
    assert not set(read.name) & set('/\\"\0\r\n')
    try:
        policy.admit(text, TERMS)
    except (errors.InvalidUri, errors.RefusedScheme, errors.RefusedHost):
        pass
    else:
        assert read.scheme in TERMS.allowed_schemes


@given(PART, PART, PART)
def test_secrets_never_show(path, before, after):
    """Whatever surrounds them, user, password and query are in no text that is shown or raised."""
    assume(not set("/?#@:[]") & set(before + after))
    text = f"https://{before}{HIDDEN}:{HIDDEN}{after}@jars.example/{path.replace('?', '')}?{HIDDEN}"
    assume(HIDDEN not in path)
    assert HIDDEN not in admitted(text)


def admitted(text):
    """What is known of a URI after it was judged, or why it was refused, as text."""
    try:
        return repr(policy.admit(text, TERMS))
    except errors.ArtifactError as error:
        return str(error) + repr(error.args)


@given(V4, st.sampled_from(["::ffff:0:0", "64:ff9b::", "::ffff:0:0:0"]))
def test_wrapping_does_not_help(address, prefix):
    """An IPv4 address is judged alike, however it is wrapped."""
    wrapped = ipaddress.ip_address(int(ipaddress.ip_address(prefix)) | int(address))
    assert networks.refusal(wrapped) == networks.refusal(address)


@given(st.one_of(V4, V6))
def test_at_least_as_strict_as_the_reference(address):
    """What the reference refuses (S5) is refused, and so is all that the library calls not global."""
    refused = networks.refusal(address)
    real = networks.unwrapped(address)
    if (
        real.is_loopback
        or real.is_link_local
        or real.is_multicast
        or real.is_unspecified
        or (real.version == 6 and real.is_site_local)
        or real.is_private
    ):
        assert refused is not None
    if refused is None:
        assert real.is_global


@given(st.one_of(V4, V6, st.ip_addresses(network="10.1.2.0/24")))
def test_allowed_networks_open_only_themselves(address):
    """An address is let through by a range exactly if it is in it, or needs none."""
    network = ipaddress.ip_network("10.1.2.0/28")
    alone = networks.refusal(address)
    with_range = networks.refusal(address, allowed=[network])
    inside = networks.unwrapped(address) in network
    assert with_range == (None if inside else alone)


HOSTS = st.one_of(
    st.from_regex(r"[a-z0-9.%:\[\]@_~-]{0,30}", fullmatch=True),
    st.sampled_from(["[::1%25x]", "ex\u00e4mple.org", "\u2488.com", "xn--.com", "a..b", "%31.1"]),
)
LOCATIONS = st.one_of(
    st.text(max_size=60),
    st.builds("{}://{}/{}".format, st.sampled_from(["http", "https", "ftp", "file"]), HOSTS, PART),
    st.builds("//{}{}".format, HOSTS, PART),
)


def browser(text):
    """Something that would fetch `text`, and looks nothing up."""
    return Browser(Source(policy.admit(text, TERMS), TERMS), look_up, TRUST)


@given(LOCATIONS)
@example("http://[/")
@example("//")
@example("//:")
@example("http:")
@example("http://a:b@jars.example/x")
def test_any_redirect_leads_to_the_web_or_nowhere(location):
    """Whatever a server writes, the next step is a web address without a login, or an error of ours."""
    made = browser("https://user:secret@jars.example/a/b.jar")
    answer = types.SimpleNamespace(status=302, headers={"Location": location})
    try:
        step = made._next(made._first(), answer)
    except (errors.BadRedirect, errors.RefusedScheme):
        return
    assert step.url.scheme in {"http", "https"}
    assert step.url.raw_host
    assert step.url.raw_user is None
    at_home = (step.url.scheme, step.url.raw_host, step.url.port) == ("https", "jars.example", 443)
    assert step.is_own == at_home


@given(HOSTS, PART)
def test_any_admitted_address_can_be_asked_or_is_refused(host, path):
    """What the first parser admits, the second one reads alike, or refuses as ours."""
    text = f"http://{host}/{path}"
    try:
        made = browser(text)
        step = made._first()
    except errors.ArtifactError:
        return
    read = uri.parse(text)
    if read.host.isascii():
        assert (step.url.raw_host or "").lower().rstrip(".") == read.host.rstrip(".")
