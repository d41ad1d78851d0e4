"""TLS: which stores count, all three forms of them, and real handshakes with them."""

import os
import ssl
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import TestServer

from flinkop.flink import errors, keystore, tls
from flinkop.flink.address import Cluster, Template
from flinkop.flink.keystore import KeyStoreError
from flinkop.flink.tls import Contexts, Stores, stores_of
from flinkop.flink.transport import direct_transports

GOLDEN = Path(__file__).parents[2] / "golden" / "keystores"
PASSWORD = "changeit"  # noqa: S105 - of stores that protect nothing
ON = {"security.ssl.rest.enabled": "true"}
MUTUAL = ON | {"security.ssl.rest.authentication-enabled": "true"}


@pytest.mark.parametrize("form", ["jks", "p12"])
def test_stores_of_java(form):
    """Both of Java's forms give the same certificate, and the key store its key."""
    trust = keystore.read(GOLDEN / f"truststore.{form}", PASSWORD)
    keys = keystore.read(GOLDEN / f"keystore.{form}", PASSWORD)
    assert trust.trusted.count(b"BEGIN CERTIFICATE") == 1
    assert trust.key is None
    assert keys.chain == trust.trusted
    assert keys.key is not None
    assert keys.key.startswith(b"-----BEGIN PRIVATE KEY-----")


def test_same_key_in_both_forms():
    """The key hidden in a JKS is the one in the PKCS12."""
    first, second = (
        keystore.read(GOLDEN / f"keystore.{form}", PASSWORD).key for form in ("jks", "p12")
    )
    assert first == second


@pytest.mark.parametrize(
    "name", ["keystore.jks", "keystore.p12", "truststore.jks", "truststore.p12"]
)
def test_wrong_password(name):
    """A wrong password is told with the file's name, and is an error of this room."""
    with pytest.raises(KeyStoreError, match=name):
        keystore.read(GOLDEN / name, "wrong")
    assert issubclass(KeyStoreError, errors.FlinkError)


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"\xfe\xed\xfe\xed\x00\x00", b"-----BEGIN PRIVATE KEY-----\nx"]
)
def test_damaged_stores(tmp_path, content):
    """What is no store, or half of one, is told so."""
    path = tmp_path / "store"
    path.write_bytes(content)
    with pytest.raises(KeyStoreError):
        keystore.read(path, PASSWORD)


def test_missing_store(tmp_path):
    """A file that is not there is told so, also when only looked for changes."""
    with pytest.raises(KeyStoreError):
        keystore.read(tmp_path / "none")
    with pytest.raises(KeyStoreError):
        Contexts().get(Stores(tmp_path / "none"))


def test_no_tls():
    """Without the option there are no stores, whatever else is set."""
    assert (
        stores_of({"security.ssl.rest.truststore": "/x"}, {"OPERATOR_TRUSTSTORE_PATH": "/y"})
        is None
    )


def test_configured_stores():
    """The cluster's stores are the REST ones, else the general ones; keys only with authentication."""
    conf = {
        "security.ssl.truststore": "/general",
        "security.ssl.truststore-password": "g",
        "security.ssl.rest.truststore": "/rest",
        "security.ssl.keystore": "/keys",
        "security.ssl.keystore-password": "k",
    }
    assert stores_of(ON | conf, {}) == Stores(Path("/rest"), "g")
    assert stores_of(MUTUAL | conf, {}) == Stores(Path("/rest"), "g", Path("/keys"), "k")
    assert stores_of(ON, {}) == Stores()


def test_own_stores_win(tmp_path):
    """The operator's stores replace the cluster's when the file is there."""
    path = tmp_path / "truststore.jks"
    environ = {
        "OPERATOR_TRUSTSTORE_PATH": str(path),
        "OPERATOR_KEYSTORE_PATH": "/keys",
        "OPERATOR_KEYSTORE_PASSWORD": "p",
    }
    conf = {"security.ssl.rest.truststore": "/rest"}
    assert stores_of(ON | conf, environ) == Stores(Path("/rest"))
    path.touch()
    assert stores_of(ON | conf, environ) == Stores(path, "p")
    assert stores_of(MUTUAL | conf, environ) == Stores(path, "p", Path("/keys"), "p")


def test_passwords_are_not_shown():
    """What is logged of stores holds no password."""
    assert "secret" not in repr(Stores(Path("/x"), "secret", Path("/y"), "secret"))


def test_context_is_kept_until_a_file_changes(tmp_path):
    """A context is made once, and again when the store was replaced."""
    path = tmp_path / "ca.pem"
    path.write_bytes(trustme.CA().cert_pem.bytes())
    contexts, stores = Contexts(), Stores(path)
    first = contexts.get(stores)
    assert contexts.get(stores) is first
    path.write_bytes(trustme.CA().cert_pem.bytes())
    os.utime(path, (1, 1))
    assert contexts.get(stores) is not first


def test_stores_of_no_use(tmp_path):
    """A trust store without certificates and a key store without a key are refused."""
    authority = trustme.CA()
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.write_bytes(authority.cert_pem.bytes())
    key.write_bytes(authority.issue_cert("x").private_key_pem.bytes())
    with pytest.raises(KeyStoreError, match="no certificate"):
        tls.context(Stores(key))
    with pytest.raises(KeyStoreError, match="no private key"):
        tls.context(Stores(certificate, keystore=certificate))


@asynccontextmanager
async def served(certificates, mutual=None):
    """A TLS server; yields a function from stores to the status of a request."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates)
    if mutual is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=mutual)

    async def handler(request):
        return web.json_response({})

    app = web.Application()
    app.router.add_get("/v1/overview", handler)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=context)
    template = Template(f"https://127.0.0.1:{server.port}")
    async with direct_transports(template) as factory:

        async def ask(stores):
            cluster = Cluster("ns", "a", tls=True, stores=stores)
            return (await factory(cluster).request("GET", "/v1/overview", timeout=5)).status

        yield ask
    await server.close()


@pytest.mark.parametrize("form", ["jks", "p12"])
async def test_handshake_with_stores_of_java(tmp_path, form):
    """A server with the key of Java's store is trusted by its trust store, whatever its name, and by no other."""
    keys = keystore.read(GOLDEN / f"keystore.{form}", PASSWORD)
    own = tmp_path / "server.pem"
    own.write_bytes(keys.chain + (keys.key or b""))
    other = tmp_path / "other.pem"
    other.write_bytes(trustme.CA().cert_pem.bytes())
    async with served(own) as ask:
        assert await ask(Stores(GOLDEN / f"truststore.{form}", PASSWORD)) == 200
        for stores in (Stores(other), Stores(), None):
            with pytest.raises(errors.Unreachable):
                await ask(stores)


async def test_client_authentication(tmp_path):
    """A server that wants a client's certificate gets the key store's."""
    authority = trustme.CA()
    server, client = authority.issue_cert("a"), authority.issue_cert("operator")
    paths = {name: tmp_path / f"{name}.pem" for name in ("server", "client", "ca")}
    paths["server"].write_bytes(server.private_key_and_cert_chain_pem.bytes())
    paths["client"].write_bytes(client.private_key_and_cert_chain_pem.bytes())
    paths["ca"].write_bytes(authority.cert_pem.bytes())
    async with served(paths["server"], mutual=authority.cert_pem.bytes().decode()) as ask:
        assert await ask(Stores(paths["ca"], keystore=paths["client"])) == 200
        with pytest.raises(errors.Unreachable):
            await ask(Stores(paths["ca"]))
