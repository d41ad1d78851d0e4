"""Where redirects and names may lead, and what goes along."""

import ipaddress

import pytest
from aiohttp import web
from fakes.jars import jar
from fakes.jarserver import answering, redirect, serving, static

from flinkop.artifacts import errors

JAR = jar()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed(world, status):
    """To a full address, a path, or a name beside."""
    world.serve(static(JAR), "/deep/b.jar")
    for target in (world.server.url("/deep/b.jar"), "/deep/b.jar", "deep/b.jar?sig=1#x"):
        world.serve(redirect(target, status))
        assert await world.content() == JAR


async def test_without_end(world):
    """A circle is left after five redirects."""
    world.serve(redirect("/a.jar"))
    with pytest.raises(errors.BadRedirect, match="redirects more than 5 times") as caught:
        await world.content()
    assert len(world.server.asked) == 6
    assert not caught.value.retryable


@pytest.mark.parametrize(
    "location", ["", "http://[::1/a", "http://x y/", "a\tb", "http://h:99999/", "http:///a.jar"]
)
async def test_to_nowhere(world, location):
    """An answer that does not say where to go is told as that."""
    world.serve(redirect(location))
    with pytest.raises(errors.ArtifactError) as caught:
        await world.content()
    assert isinstance(caught.value, errors.BadRedirect), caught.value


@pytest.mark.parametrize("target", ["ftp://jars.example/a.jar", "file:///etc/passwd", "s3://b/a"])
async def test_other_schemes(world, target):
    """A scheme that is not allowed is not allowed in a redirect either."""
    world.serve(redirect(target))
    with pytest.raises(errors.RefusedScheme, match=r"redirects to the scheme .*allowed-schemes"):
        await world.content()


async def test_from_the_web_to_a_file(world):
    """A server does not choose a file of the operator, although files are allowed."""
    world.serve(redirect("file:///etc/passwd"))
    schemes = frozenset({"http", "file"})
    with pytest.raises(errors.BadRedirect, match="from the web to 'file'"):
        await world.content(allowed_schemes=schemes)


REFUSED = [
    ("loopback", "127.0.0.2"),
    ("link-local", "169.254.1.1"),
    ("metadata", "169.254.169.254"),
    ("private", "10.96.0.1"),
    ("private", "192.168.1.1"),
    ("private", "fd00::1"),
    ("loopback", "::1"),
    ("metadata", "::ffff:169.254.169.254"),
    ("unspecified", "0.0.0.0"),  # noqa: S104 - an address to be refused
    ("multicast", "224.0.0.1"),
]


@pytest.mark.parametrize(("word", "address"), REFUSED)
async def test_redirected_to_an_address(world, word, address):
    """A server does not send the operator into the cluster, the node or the cloud, by address or by name."""
    literal = f"[{address}]" if ":" in address else address
    world.addresses["inside.example"] = [address]
    for host in (literal, "inside.example"):
        world.serve(redirect(f"http://{host}/a.jar"))
        with pytest.raises(errors.RefusedHost, match=rf"resolves to a restricted .*{word}"):
            await world.content()


@pytest.mark.parametrize(("word", "address"), REFUSED)
async def test_names_of_restricted_addresses(world, word, address):
    """A name is judged by all its addresses, and by none of them is anything connected to."""
    for addresses in ([address], ["127.0.0.1", address], [address, "127.0.0.1"]):
        world.addresses["jars.example"] = addresses
        with pytest.raises(errors.RefusedHost, match=rf"a restricted address, .*{word}") as caught:
            await world.content()
        assert not caught.value.retryable
    assert world.server.asked == []


@pytest.mark.parametrize("host", ["0x7f000001", "2130706433", "127.1", "0177.0.0.1", "127.0.0.1."])
async def test_other_ways_to_write_an_address(world, host):
    """What the system takes for an address is judged as one."""
    world.addresses[host] = ["127.0.0.1"]
    with pytest.raises(errors.RefusedHost, match="loopback"):
        await world.content(f"http://{host}:{world.server.port}/a.jar", allowed_networks=())
    assert world.server.asked == []


async def test_a_name_that_changes_its_address(world):
    """A name is looked up once for each connection, and that goes to what was found and judged."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    world.addresses["jars.example"] = lambda: next(answers)
    world.serve(static(JAR))
    assert await world.content() == JAR
    assert world.looked_up == ["jars.example"]
    with pytest.raises(errors.RefusedHost, match=r"10\.0\.0\.1"):
        await world.content()


async def test_a_name_that_changes_between_redirects(world):
    """Each step looks again, and judges again."""
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    world.addresses["jars.example"] = lambda: next(answers)
    world.serve(redirect("/b.jar"))
    with pytest.raises(errors.RefusedHost, match="metadata"):
        await world.content()


async def test_a_name_that_changes_while_it_is_cut(world):
    """A download that is taken up again is judged again."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    world.addresses["jars.example"] = lambda: next(answers)
    world.serve(static(jar(300_000), cut_at=1000))
    with pytest.raises(errors.RefusedHost, match="private"):
        await world.content()
    assert len(world.server.asked) == 1


async def test_without_restrictions(world):
    """The reference's option opens all but the addresses that hand out credentials."""
    world.serve(static(JAR))
    options = {"allowed_networks": (), "disallow_restricted_hosts": False}
    assert await world.content(**options) == JAR
    world.serve(redirect("http://169.254.169.254/latest/meta-data/"))
    with pytest.raises(errors.RefusedHost, match="metadata"):
        await world.content(**options)


async def test_ranges_that_are_allowed(world):
    """What one range opens, another keeps shut."""
    world.serve(static(JAR))
    other, home = ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("127.0.0.1/32")
    with pytest.raises(errors.RefusedHost):
        await world.content(allowed_networks=(other,))
    assert await world.content(allowed_networks=(other, home)) == JAR


async def test_unknown_names(world):
    """A name without address is told as that, and may get one."""
    with pytest.raises(
        errors.Unreachable, match=r"nowhere\.example cannot be resolved: Name or"
    ) as caught:
        await world.content("http://nowhere.example/a.jar")
    assert caught.value.retryable
    world.serve(redirect("http://nowhere.example/a.jar"))
    with pytest.raises(errors.Unreachable, match=r"nowhere\.example cannot be resolved"):
        await world.content()


# --- what goes along


@pytest.mark.parametrize("other", ["host", "port", "scheme"])
async def test_credentials_stay(world, other):
    """Headers and login go to the first server only: another host, port or scheme is another server."""
    world.serve(static(JAR), "/b.jar")
    async with serving() as second:
        second.handlers["/b.jar"] = static(JAR)
        targets = {
            "host": world.server.url("/b.jar", host="other.example"),
            "port": second.url("/b.jar"),
            "scheme": second.url("/b.jar", host="u:p@jars.example"),
        }
        world.serve(redirect(targets[other]))
        uri = world.server.url(host="user:pass@jars.example")
        assert await world.content(uri, headers=(("X-Key", "k"),)) == JAR
        asked = [*world.server.asked, *second.asked]
    assert asked[0].headers["X-Key"] == "k"
    assert asked[0].headers["Authorization"].startswith("Basic ")
    assert "X-Key" not in asked[1].headers
    assert "Authorization" not in asked[1].headers


async def test_credentials_go_on_at_home(world):
    """Another path of the same server gets them."""
    world.serve(redirect("/b.jar"))
    world.serve(static(JAR), "/b.jar")
    await world.content(world.server.url(host="u:p@jars.example"), headers=(("X-Key", "k"),))
    for asked in world.server.asked:
        assert asked.headers["X-Key"] == "k"
        assert asked.headers["Authorization"].startswith("Basic ")


async def test_credentials_do_not_come_back(world):
    """Once another server had a say, not even the first one gets them again."""
    world.serve(redirect(world.server.url("/b.jar", host="other.example")))
    world.serve(redirect(world.server.url("/c.jar")), "/b.jar")
    world.serve(static(JAR), "/c.jar")
    await world.content(headers=(("X-Key", "k"),))
    assert ["X-Key" in asked.headers for asked in world.server.asked] == [True, False, False]


async def test_no_cookies(world):
    """A server is not recognised by what it gave before."""
    world.serve(answering(302, Set_Cookie="a=b", Location="/b.jar"))
    world.serve(static(JAR), "/b.jar")
    await world.content()
    assert "Cookie" not in world.server.asked[1].headers


# --- what is known belongs to a place


async def test_the_question_whether_it_changed_is_asked_where_it_was_found(world):
    """A tag of one place means nothing at another: `latest` may lead somewhere else tomorrow."""
    target = ["/1.jar"]
    world.serve(redirect(lambda _: target[0]))
    world.serve(static(jar(seed=1), etag='"x"'), "/1.jar")
    world.serve(static(jar(seed=2), etag='"x"'), "/2.jar")
    assert await world.content() == await world.content() == jar(seed=1)
    assert world.server.asked[2].headers.get("If-None-Match") is None
    assert world.server.asked[3].headers["If-None-Match"] == '"x"'
    target[0] = "/2.jar"
    assert await world.content() == jar(seed=2)


async def test_signed_addresses(world):
    """A query that is new each time does not make it another place; a cut download gets a new one too."""
    count = 0

    def signed(_request):
        nonlocal count
        count += 1
        return f"/b.jar?sig={count}"

    world.serve(redirect(signed))
    world.serve(static(jar(300_000), cut_at=200_000), "/b.jar")
    assert await world.content() == jar(300_000)
    assert [one.path for one in world.server.asked if "b.jar" in one.path] == [
        *("/b.jar?sig=1", "/b.jar?sig=2")
    ]
    await world.content()
    assert world.server.asked[-1].headers["If-None-Match"] == '"v1"'


async def test_unchanged_unasked(world):
    """A server that says "unchanged" where it was not asked has given nothing."""
    world.serve(static(JAR))
    await world.content()

    async def elsewhere(_request):
        return web.Response(status=302, headers={"Location": "/b.jar"})

    world.serve(elsewhere)
    world.serve(answering(304), "/b.jar")
    with pytest.raises(errors.BadAnswer, match="304"):
        await world.content()
