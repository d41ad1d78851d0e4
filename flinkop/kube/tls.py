"""Where the API server is and with what to speak to it, as values; the TLS context made of them."""

import pathlib
import ssl
import tempfile

from attrs import field, frozen

from flinkop.kube.errors import ConfigError


@frozen
class TlsMaterial:
    """Everything a TLS context is made of; equal values make equal contexts.

    Attributes:
        ca: PEM of the authorities to trust; empty: those of the system.
        certificate: PEM of the client certificate chain; empty: none.
        key: PEM of its key; never shown.
        verify: False trusts any server.
    """

    ca: str = ""
    certificate: str = ""
    key: str = field(default="", repr=False)
    verify: bool = True

    def context(self) -> ssl.SSLContext:
        """Build the context.

        Raises:
            ConfigError: a certificate or key cannot be read.
        """
        try:
            context = ssl.create_default_context(cadata=self.ca or None)
        except (ssl.SSLError, ValueError) as error:
            raise ConfigError(f"the cluster's CA certificate cannot be read: {error}") from error
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        # Python 3.13 switches strict RFC 5280 checks on, which the CAs of many clusters do not pass
        # (no key identifiers); other Kubernetes clients do not ask for them either.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if self.certificate:
            self._load_chain(context)
        return context

    def _load_chain(self, context: ssl.SSLContext) -> None:
        # OpenSSL through Python takes a chain from files only; these live for one call, in a folder
        # that nobody else can enter.
        with tempfile.TemporaryDirectory(prefix="flinkop-") as folder:
            chain, key = pathlib.Path(folder, "tls.crt"), pathlib.Path(folder, "tls.key")
            key.touch(mode=0o600)
            chain.write_text(self.certificate)
            key.write_text(self.key)
            try:
                context.load_cert_chain(chain, key)
            except (ssl.SSLError, OSError) as error:
                raise ConfigError(f"the client certificate cannot be used: {error}") from error


@frozen
class Endpoint:
    """Where the API server is.

    Attributes:
        server: base URL without trailing slash, such as `https://10.0.0.1:443`.
        proxy: URL of an HTTP proxy, or None.
        server_name: name to expect in the server's certificate, or None for the host's.
        namespace: the context's (or the service account's) namespace.
    """

    server: str
    proxy: str | None = None
    server_name: str | None = None
    namespace: str = "default"


@frozen
class Snapshot:
    """Credentials at one time. `authorization` is a header value and never shown."""

    endpoint: Endpoint
    tls: TlsMaterial
    authorization: str = field(default="", repr=False)
