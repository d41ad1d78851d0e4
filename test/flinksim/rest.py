"""The REST server: finds cluster and route, plays being down or slow, counts, answers in JSON.

Every cluster is served below `/<namespace>/<name>`, with and without `/v1`.
"""

import asyncio
import json
from typing import Any

import msgspec
from aiohttp import web
from flinksim.answer import Call, Refusal, trace
from flinksim.cluster import Cluster
from flinksim.jobmanager import JobManager
from flinksim.knobs import slow
from flinksim.routes import Route, Router, check_fields
from flinksim.world import World

_HANG = 3600.0
_LEADERLESS = "Service temporarily unavailable due to an ongoing leader election. Please refresh."


class FlinkRest:
    def __init__(self, world: World) -> None:
        self._world = world
        self._router = Router()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        namespace, name = request.match_info["namespace"], request.match_info["name"]
        path = "/" + request.match_info["path"]
        if path.startswith("/v1/"):
            path = path.removeprefix("/v1")
        found = self._router.find(request.method, path)
        cluster = self._world.clusters.get((namespace, name))
        label = found[0].name if found else f"{request.method} unknown"
        status = 0
        try:
            response = await self._answer(request, cluster, found, path)
            status = response.status if response is not None else 0
        finally:
            if cluster is not None:
                cluster.recorder.note(label, path, status, self._world.scheduler.now())
        return response if response is not None else _close(request)

    async def _answer(
        self,
        request: web.Request,
        cluster: Cluster | None,
        found: tuple[Route, dict[str, str]] | None,
        path: str,
    ) -> web.Response | None:
        manager = cluster.leader if cluster is not None else None
        if cluster is None or manager is None or manager.crashed:
            return None
        rest = cluster.knobs().rest
        if (early := await _unwell(rest)) is not None:
            return early
        if rest == "down":
            return None
        if not manager.rest_ready:
            return _json({"errors": [_LEADERLESS]}, 503)
        if found is None or manager.settings.version < found[0].since:
            return _json({"errors": [f"Not found: /v1{path}"]}, 404)
        try:
            return await self._run(request, cluster, manager, *found)
        except Refusal as refusal:
            return _json({"errors": refusal.errors}, refusal.status)

    async def _run(
        self,
        request: web.Request,
        cluster: Cluster,
        manager: JobManager,
        route: Route,
        parameters: dict[str, str],
    ) -> web.Response:
        call = Call(cluster, manager, parameters, dict(request.query))
        if "jobid" in parameters and not _is_id(parameters["jobid"]):
            text = f'Cannot resolve path parameter (jobid) from value "{parameters["jobid"]}".'
            raise Refusal(
                400, trace("org.apache.flink.runtime.rest.handler.HandlerRequestException", text)
            )
        if route.pattern == "/jars/upload":
            call.upload = await _uploaded(request)
        elif request.can_read_body:
            call.body = await _body(request, route)
            check_fields(route, call.body, manager.settings.version)
        answer = route.handler(call)
        return _json({} if answer is None else answer, route.status)


async def _unwell(rest: str | None) -> web.Response | None:
    if rest == "503":
        return _json({"errors": [_LEADERLESS]}, 503)
    if rest == "500":
        return _json({"errors": ["Internal server error."]}, 500)
    if rest == "garbage":
        return web.Response(text="<html>not Flink</html>", content_type="text/html")
    seconds = _HANG if rest == "hang" else slow(rest)
    if seconds is not None:
        await asyncio.sleep(seconds)
    return None


async def _body(request: web.Request, route: Route) -> dict[str, Any]:
    raw = await request.read()
    try:
        body = json.loads(raw) if raw else {}
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refusal(400, f"Request did not match expected format {route.request}.")
    return body


async def _uploaded(request: web.Request) -> str | None:
    if not request.content_type.startswith("multipart/"):
        return None
    async for part in await request.multipart():
        if getattr(part, "filename", None):
            while await part.read_chunk():  # type: ignore[union-attr]
                pass
            return str(part.filename)  # type: ignore[union-attr]
    return None


def _is_id(text: str) -> bool:
    return len(text) == 32 and all(digit in "0123456789abcdef" for digit in text.lower())


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body),
        status=status,
        content_type="application/json",
        charset="UTF-8",
    )


def _close(request: web.Request) -> web.Response:
    """Cut the connection without an answer: what a refused connection looks like from here."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)
