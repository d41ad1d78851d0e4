"""Jars from web servers: one GET, taken up where it was cut off for as long as the content is the same."""

import asyncio
import email.utils
import re
import ssl
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Final

import aiohttp
import structlog
from attrs import define

from flinkop.artifacts import errors
from flinkop.artifacts.dialing import LookUp, look_up as system_look_up
from flinkop.artifacts.fetching import Freshness, Sink, Source
from flinkop.artifacts.redirects import Answer, Browser

_log = structlog.get_logger(__name__)

_CHUNK: Final = 1 << 16
_MOST_CUTS: Final = 5
"""How often in a row a connection may be cut without having brought much."""
_MUCH: Final = 1 << 20
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0
_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+|\*)", re.ASCII)
_OTHER_RANGE: Final = (HTTPStatus.PARTIAL_CONTENT, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
_AGAIN: Final = "It is tried again."


class _Cut(Exception):  # noqa: N818 - an end, and perhaps not the last word
    """The connection ended before the content."""


@define
class _Progress:
    """What is known of one fetch between its connections.

    Attributes:
        freshness: of the content that is being received; None before the first answer.
        size: its bytes; None when the server does not say.
        cuts: how often in a row nearly nothing came.
        cut_at: what had been received when it was cut last.
        has_begun: whether any content came, so that what was known before is out of date.
    """

    freshness: Freshness | None = None
    size: int | None = None
    cuts: int = 0
    cut_at: int = 0
    has_begun: bool = False

    @property
    def was_cut(self) -> bool:
        """Whether a part of the content is there, and the rest was asked for."""
        return self.freshness is not None

    def range_headers(self, received: int) -> Mapping[str, str]:
        """Ask for the rest, if the content is still the same and can be told from another."""
        if not received or self.freshness is None:
            return {}
        etag = self.freshness.etag
        tag = self.freshness.modified if etag is None or etag.startswith("W/") else etag
        return {} if tag is None else {"Range": f"bytes={received}-", "If-Range": tag}


class WebFetcher:
    """Speaks HTTP and HTTPS; keeps no connection between fetches."""

    def __init__(
        self, look_up: LookUp = system_look_up, trust: ssl.SSLContext | None = None
    ) -> None:
        """Make a fetcher.

        Args:
            look_up: finds the addresses of hosts.
            trust: how servers prove who they are; None for the system's authorities.
        """
        self._look_up = look_up
        self._trust = ssl.create_default_context() if trust is None else trust

    async def fetch(self, source: Source, sink: Sink) -> Freshness | None:
        """See `Fetcher.fetch`."""
        browser = Browser(source, self._look_up, self._trust)
        progress = _Progress()
        while True:
            try:
                return await self._connection(browser, source, sink, progress)
            except _Cut as cut:
                await self._pause(source, sink, progress, cut)
            except (errors.Unreachable, errors.BadAnswer) as error:
                if not sink.received:
                    raise
                await self._pause(source, sink, progress, error)

    async def _connection(
        self, browser: Browser, source: Source, sink: Sink, progress: _Progress
    ) -> Freshness | None:
        known = None if progress.has_begun else source.known
        async with browser.answer(progress.range_headers(sink.received), known) as answer:
            status = answer.response.status
            if status == HTTPStatus.NOT_MODIFIED and answer.is_conditional:
                return None
            if status == HTTPStatus.OK:
                progress.freshness = _freshness(answer)
                progress.size = answer.response.content_length
                progress.has_begun = True
                await sink.begin(progress.size)
            elif not progress.was_cut:
                raise _refused(source.jar.shown, answer.response)
            elif status in _OTHER_RANGE and not _continues(answer, sink, progress):
                progress.freshness = None  # so that the next connection asks for all of it
                raise _Cut("the content changed while it was fetched")
            elif status != HTTPStatus.PARTIAL_CONTENT:
                raise _refused(source.jar.shown, answer.response)
            await _body(answer.response, sink)
        if progress.size is not None and sink.received < progress.size:
            raise _Cut("the connection ended early")
        assert progress.freshness is not None  # noqa: S101 - set by the answer that began it
        return progress.freshness

    async def _pause(
        self, source: Source, sink: Sink, progress: _Progress, reason: Exception
    ) -> None:
        """Wait a little before the next connection, or give up."""
        progress.cuts = 1 if sink.received - progress.cut_at >= _MUCH else progress.cuts + 1
        progress.cut_at = sink.received
        where = source.jar.shown
        if progress.cuts > _MOST_CUTS:
            if isinstance(reason, errors.ArtifactError):
                raise reason
            of = "" if progress.size is None else f" of {progress.size} announced"
            raise errors.CutOff(
                where,
                f"{reason} {progress.cuts} times in a row, with {sink.received}{of} bytes received",
                f"See whether the file is whole on the server. {_AGAIN}",
            )
        _log.info("A jar's download was cut off", jar=where, bytes=sink.received, why=str(reason))
        await asyncio.sleep(min(_FIRST_PAUSE * 2 ** (progress.cuts - 1), _LONGEST_PAUSE))


async def _body(response: aiohttp.ClientResponse, sink: Sink) -> None:
    chunks = response.content.iter_chunked(_CHUNK)
    while True:
        try:
            chunk = await anext(chunks, b"")
        except (aiohttp.ClientError, OSError) as error:
            raise _Cut("the connection ended early") from error
        if not chunk:
            return
        await sink.write(chunk)


def _continues(answer: Answer, sink: Sink, progress: _Progress) -> bool:
    """Tell whether an answer goes on where the last one was cut; not every server honours If-Range."""
    tag = answer.response.headers.get("ETag")
    if progress.freshness is None or (tag is not None and tag != progress.freshness.etag):
        return False
    match = _RANGE.fullmatch(answer.response.headers.get("Content-Range", ""))
    if match is None or int(match[1]) != sink.received:
        return False
    return match[2] == "*" or progress.size is None or int(match[2]) == progress.size


def _freshness(answer: Answer) -> Freshness:
    headers = answer.response.headers
    return Freshness(headers.get("ETag"), _modified(headers), answer.place)


def _modified(headers: Mapping[str, str]) -> str | None:
    """Return when the content changed, where that is a second before the answer: else it may change unseen.

    See RFC 9110, 8.8.2.2.
    """
    modified = headers.get("Last-Modified")
    if modified is None:
        return None
    try:
        changed = email.utils.parsedate_to_datetime(modified)
        answered = email.utils.parsedate_to_datetime(headers.get("Date", ""))
        return modified if answered - changed >= timedelta(seconds=1) else None
    except (ValueError, TypeError):  # no dates, or one with and one without a zone
        return None


def _refused(where: str, response: aiohttp.ClientResponse) -> errors.ArtifactError:
    status = response.status
    name = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
    cause = f"the server answered {status} {name}".rstrip()
    if status in (
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
    ):
        return errors.Denied(
            where,
            cause,
            "Give it credentials by kubernetes.operator.user.artifacts.http.header in the job's "
            "flinkConfiguration.",
        )
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return errors.Missing(where, cause, f"Put the jar there, or mend jarURI. {_AGAIN}")
    return errors.BadAnswer(where, cause, f"See what the server says about it. {_AGAIN}")
