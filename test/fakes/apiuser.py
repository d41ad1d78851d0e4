"""What a person with kubectl does, from a blocking test and without a process per call.

`ApiUser` is as cluster-admin; one connection is kept for calls, each wait has its own watch.
"""

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from fakes import leanapi

T = TypeVar("T")

Objects = Mapping[str, Any]
"""Objects of one collection by name."""

SECONDS = 40.0
"""How long a test waits for anything; what it waits for takes about one second on an idle machine."""


class Refused(Exception):  # noqa: N818 - an answer
    """The API server said no.

    Attributes:
        status: HTTP status.
        reason: the API server's word, such as Invalid.
    """

    def __init__(self, status: int, body: bytes) -> None:
        answer = json.loads(body) if body.startswith(b"{") else {}
        super().__init__(answer.get("message") or body.decode(errors="replace"))
        self.status = status
        self.reason = answer.get("reason", "")


class ApiUser:
    """Calls to one API server."""

    def __init__(self, kubeconfig: Path) -> None:
        server, self._tls, self._headers = leanapi.read_kubeconfig(kubeconfig)
        address = urlsplit(server)
        self._host, self._port = address.hostname or "", address.port or 443
        self._kept = self._connect(30)

    def close(self) -> None:
        """Close the connection."""
        self._kept.close()

    def request(
        self, method: str, path: str, body: Any = None, kind: str = "application/json"
    ) -> Any:
        """One request; returns the decoded answer.

        Raises:
            Refused: any answer but 2xx.
        """
        data = json.dumps(body).encode() if body is not None else None
        return json.loads(_accepted(*self.ask(method, path, data, kind)))

    def text(self, path: str) -> str:
        """What is answered in plain text, such as a pod's log."""
        answer = self.ask("GET", path, None, accept="*/*")
        return _accepted(*answer).decode(errors="replace")

    def ask(
        self,
        method: str,
        path: str,
        data: bytes | None,
        kind: str = "application/json",
        *,
        accept: str = "application/json",
    ) -> tuple[int, bytes]:
        """One request as it is; returns status and body, whatever they are."""
        headers = {**self._headers, "Content-Type": kind, "Accept": accept}
        try:
            self._kept.request(method, path, data, headers)
            answer = self._kept.getresponse()
        except (
            http.client.RemoteDisconnected,
            BrokenPipeError,
            ConnectionResetError,
            ssl.SSLEOFError,
        ):
            # The server closed the connection that was idle; it has not seen the request.
            self._kept.close()
            self._kept.request(method, path, data, headers)
            answer = self._kept.getresponse()
        return answer.status, answer.read()

    def get(self, path: str) -> Any | None:
        """The object, or None when there is none."""
        try:
            return self.request("GET", path)
        except Refused as error:
            if error.status == http.client.NOT_FOUND:
                return None
            raise

    def patch(self, path: str, change: Any) -> Any:
        """Apply a merge patch."""
        return self.request("PATCH", path, change, leanapi.MERGE)

    def delete(self, path: str, propagation: str = "Background") -> None:
        """Ask for the deletion; what is gone already is fine."""
        try:
            self.request("DELETE", path, {"propagationPolicy": propagation})
        except Refused as error:
            if error.status != http.client.NOT_FOUND:
                raise

    def list(self, collection: str, **query: str) -> dict[str, Any]:
        """Objects of a collection by name."""
        return by_name(self.request("GET", with_query(collection, query)))

    def until(
        self,
        collection: str,
        reached: Callable[[Objects], T | None],
        *,
        seconds: float = SECONDS,
        **query: str,
    ) -> T:
        """Watch a collection until `reached(objects by name)` is true, and return what it returned.

        Raises:
            AssertionError: that did not happen within `seconds`; the message has the objects.
        """
        deadline = time.monotonic() + seconds
        answer = self.request("GET", with_query(collection, query))
        objects = by_name(answer)
        if found := reached(objects):
            return found
        query["resourceVersion"] = answer["metadata"]["resourceVersion"]
        for kind, item in self._events(collection, query, deadline):
            if kind == "DELETED":
                objects.pop(item["metadata"]["name"], None)
            else:
                objects[item["metadata"]["name"]] = item
            if found := reached(objects):
                return found
        for item in objects.values():
            item["metadata"].pop("managedFields", None)
        text = json.dumps(list(objects.values()))[-4000:]
        raise AssertionError(f"not reached within {seconds:.0f} s: {collection} holds {text}")

    def _events(
        self, collection: str, query: Mapping[str, str], deadline: float
    ) -> Iterator[tuple[str, Any]]:
        """Watch events until the deadline."""
        left = max(deadline - time.monotonic(), 1.0)
        watch = {**query, "watch": "1", "timeoutSeconds": str(round(left) or 1)}
        with closing(self._connect(left + 5)) as connection:
            connection.request("GET", with_query(collection, watch), headers=self._headers)
            answer = connection.getresponse()
            if answer.status >= 300:
                raise Refused(answer.status, answer.read())
            while line := answer.readline():
                event = json.loads(line)
                assert event["type"] != "ERROR", event
                yield event["type"], event["object"]

    def _connect(self, seconds: float) -> http.client.HTTPSConnection:
        context = self._tls if isinstance(self._tls, ssl.SSLContext) else None
        return http.client.HTTPSConnection(self._host, self._port, timeout=seconds, context=context)


def _accepted(status: int, content: bytes) -> bytes:
    if status >= 300:
        raise Refused(status, content)
    return content


def with_query(path: str, query: Mapping[str, str]) -> str:
    """The path with its query; `label_selector` stands for `labelSelector`."""
    words = {camel(key): value for key, value in query.items()}
    return f"{path}?{urlencode(words)}" if words else path


def camel(text: str) -> str:
    """`label_selector` as `labelSelector`."""
    first, *rest = text.split("_")
    return first + "".join(part.capitalize() for part in rest)


def by_name(answer: Any) -> dict[str, Any]:
    """The items of a list by name."""
    return {item["metadata"]["name"]: item for item in answer["items"]}
