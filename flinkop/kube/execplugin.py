"""Credentials from an exec plugin of a kubeconfig (client.authentication.k8s.io).

The library's own runner is not used: it has no timeout and no cache, deadlocks on a chatty plugin, and
cannot refresh client certificates (`client-pitfalls.md`, section 5).
"""

import asyncio
import asyncio.subprocess
import contextlib
import datetime as dt
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import msgspec
from attrs import frozen

from flinkop.clock import Clock
from flinkop.kube.errors import ConfigError

TIMEOUT = 60.0
"""Seconds a plugin may run; some open a network connection to a slow identity provider."""

SKEW = dt.timedelta(minutes=1)
"""A credential counts as expired this long before it is: clocks differ, calls take time."""

_SHOWN = 500


class ExecCredential(msgspec.Struct, frozen=True, rename="camel"):
    """The `status` that a plugin prints. Never log it."""

    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""
    expiration_timestamp: dt.datetime | None = None


class _Answer(msgspec.Struct, frozen=True, rename="camel"):
    api_version: str
    kind: str
    status: ExecCredential


@frozen
class ExecSpec:
    """How to run a plugin.

    Attributes:
        command: name on PATH, or a path.
        args: its arguments.
        env: added to this process's environment.
        api_version: of the ExecCredential that is spoken.
        install_hint: shown when the command is missing.
        cluster: the `spec.cluster` that is passed on, when the kubeconfig asks for it.
        interactive_mode: Never, IfAvailable or Always.
    """

    command: str
    args: tuple[str, ...]
    env: Mapping[str, str]
    api_version: str
    install_hint: str = ""
    cluster: Mapping[str, Any] | None = None
    interactive_mode: str = "IfAvailable"

    @classmethod
    def parse(
        cls, user_exec: Mapping[str, Any], cluster: Mapping[str, Any], base: pathlib.Path
    ) -> "ExecSpec":
        """Read a kubeconfig's `exec` section.

        Args:
            user_exec: the section.
            cluster: the kubeconfig's cluster section, for `provideClusterInfo`.
            base: the kubeconfig's folder: a command with a slash is relative to it.

        Raises:
            ConfigError: the section lacks something, or wants a terminal.
        """
        for name in ("command", "apiVersion"):
            if not user_exec.get(name):
                raise ConfigError(f"the kubeconfig's exec section has no {name}")
        if user_exec.get("interactiveMode") == "Always":
            raise ConfigError(
                "the kubeconfig's exec plugin wants a terminal (interactiveMode: Always), which an "
                "operator has not; use IfAvailable or Never"
            )
        command = str(user_exec["command"])
        if "/" in command:
            command = str(base / command)
        return cls(
            command=command,
            args=tuple(str(arg) for arg in user_exec.get("args") or ()),
            env={str(e["name"]): str(e["value"]) for e in user_exec.get("env") or ()},
            api_version=str(user_exec["apiVersion"]),
            install_hint=str(user_exec.get("installHint") or ""),
            cluster=_cluster_info(cluster) if user_exec.get("provideClusterInfo") else None,
            interactive_mode=str(user_exec.get("interactiveMode") or "IfAvailable"),
        )


def _cluster_info(cluster: Mapping[str, Any]) -> dict[str, Any]:
    wanted = (
        "server",
        "tls-server-name",
        "insecure-skip-tls-verify",
        "certificate-authority-data",
        "proxy-url",
    )
    info = {name: cluster[name] for name in wanted if name in cluster}
    for extension in cluster.get("extensions") or ():
        if extension.get("name") == "client.authentication.k8s.io/exec":
            info["config"] = extension.get("extension")
    return info


class ExecPlugin:
    """Runs a plugin when its last answer is missing, expired or refused.

    Promises: never two runs at once, however many callers wait; a run ends within the timeout; the
    answer is reused until shortly before it expires (for ever when it says no time); a failed run
    keeps an answer that is still valid.
    """

    def __init__(self, spec: ExecSpec, clock: Clock, timeout: float = TIMEOUT) -> None:
        self._spec = spec
        self._clock = clock
        self._timeout = timeout
        self._lock = asyncio.Lock()
        self._credential: ExecCredential | None = None
        self._runs = 0

    @property
    def runs(self) -> int:
        """Return how many answers were taken: a number for each credential."""
        return self._runs

    async def credential(self, refused: int | None = None) -> ExecCredential:
        """Return a credential that is valid for a while.

        Args:
            refused: the `runs` of the credential that the API server answered with 401; it is not
                handed out again, but a newer one is.

        Raises:
            ConfigError: the plugin is missing, failed, hung or printed nonsense.
        """
        if refused != self._runs and (fresh := self._fresh(SKEW)):
            return fresh
        async with self._lock:
            if refused != self._runs and (fresh := self._fresh(SKEW)):
                return fresh
            try:
                self._credential = await self._run()
            except ConfigError:
                if refused != self._runs and (last := self._fresh(dt.timedelta())):
                    return last
                raise
            self._runs += 1
            return self._credential

    def _fresh(self, skew: dt.timedelta) -> ExecCredential | None:
        known = self._credential
        if known is None:
            return None
        expiry = known.expiration_timestamp
        return known if expiry is None or self._clock.now() + skew < expiry else None

    async def _run(self) -> ExecCredential:
        spec = self._spec
        name = pathlib.PurePath(spec.command).name
        request: dict[str, Any] = {"interactive": False}
        if spec.cluster is not None:
            request["cluster"] = spec.cluster
        info = {"apiVersion": spec.api_version, "kind": "ExecCredential", "spec": request}
        env = os.environ | spec.env | {"KUBERNETES_EXEC_INFO": msgspec.json.encode(info).decode()}
        try:
            process = await asyncio.subprocess.create_subprocess_exec(
                spec.command,
                *spec.args,
                env=env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            hint = f"; {spec.install_hint}" if spec.install_hint else ""
            raise ConfigError(f"exec plugin {name} cannot be started: {error}{hint}") from error
        try:
            async with asyncio.timeout(self._timeout):
                out, err = await process.communicate()
        except TimeoutError:
            raise ConfigError(
                f"exec plugin {name} did not answer within {self._timeout:g} s and was stopped"
            ) from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode:
            said = err.decode("utf-8", "replace").strip()[-_SHOWN:]
            raise ConfigError(f"exec plugin {name} ended with {process.returncode}: {said}")
        return self._read(name, out)

    def _read(self, name: str, out: bytes) -> ExecCredential:
        try:
            answer = msgspec.json.decode(out, type=_Answer)
        except msgspec.DecodeError as error:
            raise ConfigError(f"exec plugin {name} printed no ExecCredential: {error}") from None
        if answer.api_version != self._spec.api_version:
            raise ConfigError(
                f"exec plugin {name} speaks {answer.api_version}, the kubeconfig asks for "
                f"{self._spec.api_version}"
            )
        status = answer.status
        if not status.token and not status.client_certificate_data:
            raise ConfigError(f"exec plugin {name} gave neither a token nor a client certificate")
        if bool(status.client_certificate_data) != bool(status.client_key_data):
            raise ConfigError(f"exec plugin {name} gave a certificate without key, or the reverse")
        return status
