"""Credentials and address of the API server: the one door to kubernetes_asyncio.

The library reads kubeconfigs (merged, with contexts, OIDC and gcp providers) and the in-cluster files.
Here is what it lacks: rotation of tokens, CAs and client certificates while running, an exec plugin
runner that can be trusted, and no dependence on the environment's proxy variables: the proxy comes
from the kubeconfig only.
"""

import asyncio
import os
import pathlib
import ssl
from collections.abc import Mapping
from typing import Any, Protocol

import structlog
from attrs import define, evolve

from flinkop.clock import Clock, SystemClock
from flinkop.kube import execplugin, kubeconfigloader, libraryimport
from flinkop.kube.errors import ConfigError
from flinkop.kube.tls import Endpoint, Snapshot, TlsMaterial

REREAD = 60.0
"""Seconds between looks at token, CA and certificate files: kubelet rotates them in place."""

log = structlog.stdlib.get_logger(__name__)

SERVICE_ACCOUNT = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")


class Source(Protocol):
    """Where credentials come from; `read` is called at start, then every minute and after a 401."""

    async def read(self, *, refused: bool) -> Snapshot:
        """Return the credentials as they are now; `refused`: the last ones were answered with 401."""
        ...


class Credentials:
    """What the client asks before each request.

    Promises: files are looked at once per minute, without blocking the event loop; while one caller
    looks, the others go on with what is known (after a 401 they wait); the TLS context is rebuilt only
    when what it is made of has changed, and `tls_generation` then grows. A look that fails keeps the
    last credentials and is logged.
    """

    def __init__(self, source: Source, snapshot: Snapshot, clock: Clock) -> None:
        self._source = source
        self._snapshot = snapshot
        self._clock = clock
        self._lock = asyncio.Lock()
        self._read_at = clock.monotonic()
        self._looks = 1
        self._context = _context_of(snapshot)
        self.tls_generation = 1
        self.last_error: str = ""

    @classmethod
    async def open(cls, source: Source, clock: Clock | None = None) -> "Credentials":
        """Read the credentials for the first time.

        Raises:
            ConfigError: they cannot be used; the message says why.
        """
        return cls(source, await source.read(refused=False), clock or SystemClock())

    @property
    def endpoint(self) -> Endpoint:
        """Return where the API server is."""
        return self._snapshot.endpoint

    @property
    def ssl_context(self) -> ssl.SSLContext | None:
        """Return the context for connections made from now on; None for plain HTTP."""
        return self._context

    async def authorization(self) -> tuple[str, int]:
        """Return the header value (empty: none) and the number of the look it stems from."""
        due = self._clock.monotonic() - self._read_at >= REREAD
        if due and not self._lock.locked():
            async with self._lock:
                await self._look(refused=False)
        return self._snapshot.authorization, self._looks

    async def refresh(self, refused: int) -> bool:
        """Fetch new credentials because those of look number `refused` were answered with 401.

        Returns whether there is something new to try.
        """
        async with self._lock:
            if refused == self._looks:
                before = self._snapshot
                await self._look(refused=True)
                return before != self._snapshot
            return True

    async def _look(self, *, refused: bool) -> None:
        try:
            snapshot = await self._source.read(refused=refused)
            if snapshot.tls != self._snapshot.tls:
                self._context = _context_of(snapshot)
                self.tls_generation += 1
        except (ConfigError, OSError) as error:
            # A rotation caught halfway, or an identity provider that is down: the old ones may live on.
            if self.last_error != str(error):
                log.warning(
                    "Credentials cannot be read again; going on with the last", error=str(error)
                )
            self.last_error = str(error)
        else:
            self._snapshot = snapshot
            self._looks += 1
            self.last_error = ""
        self._read_at = self._clock.monotonic()


def _context_of(snapshot: Snapshot) -> ssl.SSLContext | None:
    return snapshot.tls.context() if snapshot.endpoint.server.startswith("https:") else None


async def load(
    kubeconfig: str | None = None,
    context: str | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    clock: Clock | None = None,
) -> Credentials:
    """Find credentials: given kubeconfig, then KUBECONFIG, then in-cluster, then ~/.kube/config.

    Args:
        kubeconfig: a path, or several joined as in KUBECONFIG.
        context: a context of the kubeconfig; None takes its current one.
        environ: the environment.
        clock: for expiry and rereading.

    Raises:
        ConfigError: there are none, or they cannot be used.
    """
    clock = clock or SystemClock()
    path = kubeconfig or environ.get("KUBECONFIG")
    if not path and not context and environ.get("KUBERNETES_SERVICE_HOST"):
        return await Credentials.open(InCluster(environ), clock)
    # The library expands the tilde.
    return await Credentials.open(Kubeconfig(path or "~/.kube/config", context, clock), clock)


@define
class InCluster:
    """The service account that Kubernetes mounts into a pod."""

    environ: Mapping[str, str] = os.environ
    folder: pathlib.Path = SERVICE_ACCOUNT

    async def read(self, *, refused: bool) -> Snapshot:  # noqa: ARG002 - the files are all there is
        """Read token, CA and namespace from the mounted files."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> Snapshot:
        loader = libraryimport.load("incluster_config")
        found = libraryimport.LibraryConfiguration()
        token, ca = self.folder / "token", self.folder / "ca.crt"
        with _as_config_error("in-cluster credentials"):
            loader.InClusterConfigLoader(
                str(token), str(ca), try_refresh_token=False, environ=self.environ
            ).load_and_set(found)
            namespace = self.folder / "namespace"
            name = namespace.read_text().strip() if namespace.is_file() else "default"
            return Snapshot(
                Endpoint(found.host, namespace=name),
                TlsMaterial(ca=ca.read_text()),
                found.api_key["BearerToken"].strip(),
            )


class Kubeconfig:
    """One context of one or more kubeconfig files.

    The files themselves are read once, and again after a 401: cloud tools rewrite tokens in them.
    Files they point to are read each time.
    """

    def __init__(self, paths: str, context: str | None, clock: Clock) -> None:
        self._paths = paths
        self._context = context
        self._clock = clock
        self._loader: Any = None
        self._exec: execplugin.ExecSpec | None = None
        self._plugin: execplugin.ExecPlugin | None = None

    async def read(self, *, refused: bool) -> Snapshot:
        """Read tokens and certificates, and ask the exec plugin if there is one."""
        if self._loader is None or refused:
            self._loader = await asyncio.to_thread(self._parse)
        found = libraryimport.LibraryConfiguration()
        with _as_config_error(f"kubeconfig {self._paths}"):
            await self._loader.load_and_set(found)
            token = found.api_key.get("BearerToken", "").strip()
            snapshot: Snapshot = await asyncio.to_thread(self._loader.snapshot, token)
        if self._plugin is None:
            return snapshot
        given = await self._plugin.credential(self._plugin.runs if refused else None)
        tls = snapshot.tls
        if given.client_certificate_data:
            tls = evolve(tls, certificate=given.client_certificate_data, key=given.client_key_data)
        bearer = f"Bearer {given.token}" if given.token else snapshot.authorization
        return evolve(snapshot, tls=tls, authorization=bearer)

    def _parse(self) -> Any:
        with _as_config_error(f"kubeconfig {self._paths}"):
            loader = kubeconfigloader.open_kubeconfig(self._paths, self._context)
            spec = loader.exec_spec()
        if spec != self._exec:
            self._exec = spec
            self._plugin = execplugin.ExecPlugin(spec, self._clock) if spec else None
        return loader


class _as_config_error:  # noqa: N801 - reads as a statement
    """Turns what the library and the file system raise into a ConfigError that names the source."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None or isinstance(error, ConfigError):
            return
        if isinstance(error, Exception):
            said = str(error) or type(error).__name__
            raise ConfigError(f"{self._what} cannot be used: {said}") from error
