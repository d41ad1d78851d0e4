"""One GET through all its redirects, the policy applied at each of them.

What belongs to the first server stays with it: user and password, and every configured header, since
any of them may be a credential, go to no other scheme, host or port, nor to any later step.
"""

import base64
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

import aiohttp
from attrs import evolve, frozen
from multidict import CIMultiDict
from yarl import URL

from flinkop.artifacts import errors, policy, uri
from flinkop.artifacts.dialing import Dialer, LookUp
from flinkop.artifacts.fetching import Freshness, Source

_MOST: Final = 5
_REDIRECTS: Final = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)
_OURS: Final = {"Accept-Encoding": "identity", "Accept": "*/*", "User-Agent": "flinkop"}
_MEND: Final = "Mend the server, or give the address that it redirects to."


@frozen
class Step:
    """Where a redirect has led to.

    Attributes:
        url: what is asked now.
        is_own: whether this is still the first server.
    """

    url: URL
    is_own: bool = True

    @property
    def place(self) -> str:
        """The address without its query, which is new each time where addresses are signed."""
        return str(self.url.with_query(None))


@frozen
class Answer:
    """What the last server says.

    Attributes:
        response: its answer, whose body has not been read.
        place: where it was found.
        is_conditional: whether it was asked only for what is newer.
    """

    response: aiohttp.ClientResponse
    place: str
    is_conditional: bool


class Browser:
    """Makes requests on the terms of one source; each over a connection of its own."""

    def __init__(self, source: Source, look_up: LookUp, trust: ssl.SSLContext) -> None:
        self._source = source
        self._where = source.jar.shown
        self._look_up = look_up
        self._trust = trust

    @asynccontextmanager
    async def answer(
        self, extra: Mapping[str, str], known: Freshness | None
    ) -> AsyncIterator[Answer]:
        """Ask for the source, and follow where its server sends.

        Args:
            extra: headers for every step.
            known: asks only for what is newer, at the place where this was found.

        Raises:
            ArtifactError: there is no answer, or only redirects that lead nowhere.
        """
        dialer = Dialer(self._look_up, self._source.terms)
        async with aiohttp.ClientSession(
            connector=dialer.connector(self._trust),
            trust_env=False,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=self._source.terms.connect_timeout
            ),
        ) as session:
            step = self._first()
            for _ in range(_MOST + 1):
                conditions = _conditions(step, known)
                headers = self._headers(step, {**extra, **conditions})
                async with await self._get(session, dialer, step, headers) as response:
                    if response.status not in _REDIRECTS:
                        yield Answer(response, step.place, bool(conditions))
                        return
                    step = self._next(step, response)
        raise errors.BadRedirect(
            self._where, f"it redirects more than {_MOST} times", "Mend the server."
        )

    async def _get(
        self,
        session: aiohttp.ClientSession,
        dialer: Dialer,
        step: Step,
        headers: CIMultiDict[str],
    ) -> aiohttp.ClientResponse:
        url = step.url
        host = url.raw_host or ""
        await dialer.check(host, url.port or 0, self._where)
        try:
            return await session.get(url, headers=headers, allow_redirects=False)
        except aiohttp.ClientConnectorCertificateError as error:
            raise self._unreachable(
                host, f"its certificate is not trusted: {error.certificate_error}"
            ) from error
        except TimeoutError as error:
            reason = f"no connection within {self._source.terms.connect_timeout:g} s"
            raise self._unreachable(host, reason) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # aiohttp quotes whole addresses in some of these, so that only kind and reason are taken over
            raise self._unreachable(host, _reason(error)) from None

    def _first(self) -> Step:
        try:
            return Step(_with_host(_parsed(self._source.jar.text).with_user(None)))
        except ValueError:  # of what this parser minds and the one before did not
            raise errors.InvalidUri(
                self._where, "its host cannot be read", "Write it as names are written in the web."
            ) from None

    def _headers(self, step: Step, extra: Mapping[str, str]) -> CIMultiDict[str]:
        headers = CIMultiDict(self._source.terms.headers if step.is_own else ())
        if step.is_own:
            first = _parsed(self._source.jar.text)
            if first.raw_user is not None and "Authorization" not in headers:
                login = f"{first.user or ''}:{first.password or ''}".encode()
                headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
        headers.update(_OURS)
        headers.update(extra)
        return headers

    def _next(self, step: Step, response: aiohttp.ClientResponse) -> Step:
        location = response.headers.get("Location", "")
        if not location or uri.has_forbidden_character(location):
            raise errors.BadRedirect(
                self._where, f"its answer {response.status} does not say where to go", _MEND
            )
        try:
            target = step.url.join(_parsed(location))
            self._check_scheme(target)
            same = target.origin() == step.url.origin()
            target = _with_host(target.with_user(None).with_fragment(None))
        except ValueError:
            raise errors.BadRedirect(
                self._where, "it redirects to something that is not an address", _MEND
            ) from None
        return evolve(step, url=target, is_own=step.is_own and same)

    def _check_scheme(self, target: URL) -> None:
        policy.check_scheme(target.scheme, self._where, self._source.terms, "it redirects to the")
        if target.scheme not in policy.WEB:
            raise errors.BadRedirect(
                self._where, f"it redirects from the web to '{target.scheme}'", _MEND
            )

    def _unreachable(self, host: str, reason: str) -> errors.Unreachable:
        return errors.Unreachable(
            self._where,
            f"server {host} cannot be reached: {reason}",
            "See whether it runs and whether the operator's pod may connect to it. It is tried again.",
        )


def _parsed(text: str) -> URL:
    """Keep escapes as they are written: addresses may be signed."""
    return URL(text, encoded=text.isascii())


def _with_host(url: URL) -> URL:
    if not url.raw_host:
        raise ValueError("no host")
    return url


def _conditions(step: Step, known: Freshness | None) -> Mapping[str, str]:
    """Return the headers that ask only for what is newer; a tag means nothing at another place."""
    if known is None or known.place != step.place:
        return {}
    if known.etag is not None:
        return {"If-None-Match": known.etag}
    return {} if known.modified is None else {"If-Modified-Since": known.modified}


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return f"it does not speak TLS ({error.strerror or 'no reason given'})"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "it closed the connection without an answer"
    if isinstance(error, aiohttp.ClientResponseError):
        return "its answer is not proper HTTP, or longer than it says"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
