"""The few requests the control plane itself makes, as cluster-admin, with the standard library."""

import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from hack.clusters.errors import ControlPlaneError


class ApiServer:
    """Plain requests to one API server; blocking, for set-up and not for measuring."""

    def __init__(self, url: str, pki: Path) -> None:
        self.url = url
        self.ca_file = pki / "ca.crt"
        self._pki = pki

    def request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send a request, return the decoded answer (text where it is not JSON).

        Raises:
            urllib.error.HTTPError: the server said no.
            OSError: it cannot be reached.
        """
        context = ssl.create_default_context(cafile=self.ca_file)
        context.load_cert_chain(self._pki / "admin.crt", self._pki / "admin.key")
        request = urllib.request.Request(  # noqa: S310 (always https)
            self.url + path,
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Content-Type": "application/json", "Accept": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:  # noqa: S310
            text = answer.read().decode()
            plain = "json" not in answer.headers.get("Content-Type", "")
            return text if plain else json.loads(text)

    def create(self, path: str, body: dict[str, Any]) -> None:
        """POST an object; one that is there already is fine."""
        try:
            self.request("POST", path, body)
        except urllib.error.HTTPError as error:
            with error:
                if error.code != http.client.CONFLICT:
                    raise ControlPlaneError(f"POST {path}: {error.read().decode()}") from error

    def delete(self, path: str) -> None:
        """DELETE an object; one that is gone already is fine."""
        try:
            self.request("DELETE", path)
        except urllib.error.HTTPError as error:
            with error:
                if error.code != http.client.NOT_FOUND:
                    raise ControlPlaneError(f"DELETE {path}: {error.read().decode()}") from error

    def answers(self, path: str) -> bool:
        """Whether a GET succeeds."""
        try:
            self.request("GET", path)
        except urllib.error.HTTPError as error:
            error.close()
            return False
        except (OSError, http.client.HTTPException):
            return False
        return True

    def wait_for(self, path: str, seconds: float) -> None:
        """Wait until a GET succeeds.

        Raises:
            ControlPlaneError: not within `seconds`.
        """
        deadline = time.monotonic() + seconds
        while not self.answers(path):
            if time.monotonic() >= deadline:
                raise ControlPlaneError(f"{self.url}{path} did not answer within {seconds:.0f} s")
            time.sleep(0.05)
