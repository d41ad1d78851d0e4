"""Kubeconfigs are read with every kind of credentials the test clusters use."""

import base64
import ssl

import aiohttp
import pytest
import trustme
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from fakes import kubeconfigs
from fakes.faultproxy import FaultProxy


@pytest.fixture
def authority():
    return trustme.CA()


@pytest.fixture
async def server(authority):
    """An HTTPS server that insists on a client certificate and tells whose it is."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED

    async def who(request):
        name = dict(item[0] for item in request.transport.get_extra_info("peercert")["subject"])
        return web.json_response(
            {"name": name["commonName"], "token": request.headers.get("Authorization")}
        )

    app = web.Application()
    app.router.add_get("/{path:.*}", who)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=context)
    yield str(server.make_url("")).rstrip("/")
    await server.close()


def kubeconfig(path, cluster, user):
    context = {"cluster": "c", "user": "u", "namespace": "team"}
    config = {
        "current-context": "x",
        "contexts": [{"name": "x", "context": context}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
    }
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.mark.parametrize("inline", [True, False])
async def test_client_certificate(tmp_path, authority, server, inline):
    """Certificates work inline and as files, and the proxy hides them from its client."""
    leaf = authority.issue_cert("admin@example.org", common_name="admin")
    pems = {
        "certificate-authority": authority.cert_pem,
        "client-certificate": leaf.cert_chain_pems[0],
        "client-key": leaf.private_key_pem,
    }
    if inline:
        given = {f"{key}-data": base64.b64encode(pem.bytes()).decode() for key, pem in pems.items()}
    else:
        for key, pem in pems.items():
            pem.write_to_path(str(tmp_path / key))
        given = {key: key for key in pems}
    user = {key: value for key, value in given.items() if key.startswith("client")}
    cluster = {key: value for key, value in given.items() if key not in user} | {"server": server}
    path = kubeconfig(tmp_path / "kubeconfig", cluster, user | {"token": "secret"})
    async with FaultProxy(kubeconfigs.load(path)) as proxy:
        front = kubeconfigs.load(proxy.write_kubeconfig(tmp_path / "front"))
        assert (front.url, front.tls, front.namespace) == (proxy.url, None, "team")
        async with aiohttp.request("GET", f"{front.url}/version") as answer:
            assert await answer.json() == {"name": "admin", "token": "Bearer secret"}


def test_token_file_and_password(tmp_path):
    """A token file and a password give the header they stand for; an unverified server is allowed."""
    (tmp_path / "token").write_text("abc\n")
    cluster = {"server": "https://example.org/", "insecure-skip-tls-verify": True}
    path = kubeconfig(tmp_path / "one", cluster, {"tokenFile": "token"})
    upstream = kubeconfigs.load(path)
    assert upstream.headers == {"Authorization": "Bearer abc"}
    assert upstream.url == "https://example.org"
    assert upstream.tls
    assert upstream.tls.verify_mode == ssl.CERT_NONE
    assert "abc" not in repr(upstream)
    path = kubeconfig(tmp_path / "two", cluster, {"username": "u", "password": "p"})
    assert kubeconfigs.load(path).headers == {"Authorization": "Basic dTpw"}
