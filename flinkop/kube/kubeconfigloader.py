"""The library's kubeconfig loader, with the parts replaced that cannot be used as they are.

Kept: merging of files, contexts, users, basic authentication. Replaced: exec plugins (`execplugin`),
client certificates (the library writes keys into temporary files for the life of the process), token
files (read once), and OIDC refresh (sends the refresh token over unverified TLS).
"""

import base64
import pathlib
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from flinkop.kube import execplugin, libraryimport
from flinkop.kube.errors import ConfigError
from flinkop.kube.tls import Endpoint, Snapshot, TlsMaterial


class Loader(Protocol):
    """One context of the merged files."""

    async def load_and_set(self, client_configuration: libraryimport.LibraryConfiguration) -> None:
        """Put the user's token, if it has one, into `api_key["BearerToken"]`."""
        ...

    def exec_spec(self) -> execplugin.ExecSpec | None:
        """Return the user's exec plugin, or None."""
        ...

    def snapshot(self, authorization: str) -> Snapshot:
        """Read the files that the context points to. Blocks."""
        ...


def open_kubeconfig(paths: str, context: str | None) -> Loader:
    """Parse the files and choose a context. Blocks.

    Raises:
        ConfigError: no file, or a user or cluster that this operator cannot speak for.
        Exception: whatever the library raises for a malformed file.
    """
    library = libraryimport.load("kube_config")
    merged = library.KubeConfigMerger(paths).config
    if merged is None:
        raise ConfigError(
            f"no kubeconfig at {paths} and not in a cluster: set KUBECONFIG or pass --kubeconfig"
        )
    return cast(
        "Loader",
        _loader_class(library)(config_dict=merged, active_context=context, config_base_path=None),
    )


def _loader_class(library: Any) -> Any:
    class _Loader(library.KubeConfigLoader):  # type: ignore[misc]
        """The library names the context's parts `_user`, `_cluster` and `_current_context`."""

        async def load_from_exec_plugin(self) -> bool:
            return True  # `config.Kubeconfig` asks the plugin itself

        async def load_gcp_token(self) -> str:
            raise ConfigError(
                "auth-provider gcp was removed from kubectl: use gke-gcloud-auth-plugin"
            )

        async def _refresh_oidc(self, _provider: Any) -> None:
            raise ConfigError("the OIDC token is missing or expired: use the kubelogin exec plugin")

        def _load_cluster_info(self) -> None:
            pass  # `snapshot` reads it, without temporary files

        def exec_spec(self) -> execplugin.ExecSpec | None:
            return _exec_spec(self._user, self._cluster)

        def snapshot(self, authorization: str) -> Snapshot:
            namespace = (_section(self._current_context).get("context") or {}).get("namespace")
            return Snapshot(
                _endpoint(_section(self._cluster), str(namespace or "default")),
                TlsMaterial(
                    ca=_pem(self._cluster, "certificate-authority"),
                    certificate=_pem(self._user, "client-certificate"),
                    key=_pem(self._user, "client-key"),
                    verify=not _section(self._cluster).get("insecure-skip-tls-verify"),
                ),
                _authorization(self._user, authorization),
            )

    return _Loader


def _exec_spec(user: Any, cluster: Any) -> execplugin.ExecSpec | None:
    section = _section(user).get("exec")
    if not isinstance(section, dict):
        return None
    about = dict(_section(cluster))
    if ca := _pem(cluster, "certificate-authority"):
        about["certificate-authority-data"] = base64.b64encode(ca.encode()).decode()
    return execplugin.ExecSpec.parse(section, about, _folder(user))


def _authorization(user: Any, found: str) -> str:
    """Return the header's value; a token file wins over an inline token, as in client-go."""
    section = _section(user)
    if any(section.get(name) for name in ("as", "as-uid", "as-groups", "as-user-extra")):
        raise ConfigError("impersonation (as, as-groups) is not supported: use a context without")
    if (section.get("auth-provider") or {}).get("name") not in {None, "oidc"}:
        raise ConfigError("auth-provider is not supported: use the provider's exec plugin")
    if section.get("tokenFile") and "exec" not in section:
        token = _folder(user).joinpath(str(section["tokenFile"])).read_text().strip()
        return f"Bearer {token}"
    return found


def _endpoint(cluster: dict[str, Any], namespace: str) -> Endpoint:
    server = str(cluster.get("server") or "").rstrip("/")
    if urlsplit(server).scheme not in {"http", "https"}:
        raise ConfigError("the cluster has no server, or one that is no http(s) URL")
    proxy = str(cluster.get("proxy-url") or "")
    if proxy and urlsplit(proxy).scheme not in {"http", "https"}:
        raise ConfigError(
            f"proxy-url {urlsplit(proxy).scheme}://… is not supported: only http and https"
        )
    return Endpoint(
        server, proxy or None, str(cluster.get("tls-server-name") or "") or None, namespace
    )


def _section(node: Any) -> dict[str, Any]:
    value = getattr(node, "value", None)
    return value if isinstance(value, dict) else {}


def _folder(node: Any) -> pathlib.Path:
    """Return the folder of the file that a section came from: its paths are relative to it."""
    return pathlib.Path(getattr(node, "path", None) or ".").expanduser().absolute().parent


def _pem(node: Any, name: str) -> str:
    """Return `<name>-data` decoded, else the content of the file `<name>`, else nothing."""
    section = _section(node)
    if data := section.get(f"{name}-data"):
        return base64.b64decode("".join(str(data).split()), validate=True).decode()
    if path := section.get(name):
        return _folder(node).joinpath(str(path)).read_text()
    return ""
