"""The control API below `/_control`: orders for clusters, and everything they did, as JSON."""

from typing import Any

from aiohttp import web
from flinksim.rest import FlinkRest
from flinksim.world import World


class Control:
    def __init__(self, world: World) -> None:
        self._world = world

    async def state(self, request: web.Request) -> web.Response:
        return web.json_response(self._world.dump())

    async def summary(self, request: web.Request) -> web.Response:
        return web.json_response(self._world.summary())

    async def cluster(self, request: web.Request) -> web.Response:
        key = _key(request)
        found = self._world.clusters.get(key)
        if found is None:
            raise web.HTTPNotFound(text=f"no cluster {'/'.join(key)}")
        return web.json_response(found.dump())

    async def calls(self, request: web.Request) -> web.Response:
        found = self._world.clusters.get(_key(request))
        body: dict[str, Any] = {"counts": {}, "latest": []}
        if found is not None:
            body = {"counts": found.recorder.counts(), "latest": found.recorder.latest()}
        return web.json_response(body)

    async def forget_calls(self, request: web.Request) -> web.Response:
        for key, cluster in self._world.clusters.items():
            if _matches(_key(request), key):
                cluster.recorder.reset()
        return web.json_response({})

    async def order(self, request: web.Request) -> web.Response:
        namespace, name = _key(request)
        try:
            orders = await request.json()
            self._world.order(namespace, name, orders)
        except (ValueError, TypeError, AttributeError) as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        return web.json_response(self._world.orders())

    async def cancel(self, request: web.Request) -> web.Response:
        self._world.cancel_orders(*_key(request))
        return web.json_response(self._world.orders())


def application(world: World) -> web.Application:
    app = web.Application(client_max_size=1 << 30)
    control, rest = Control(world), FlinkRest(world)
    app.router.add_get("/_control/state", control.state)
    app.router.add_get("/_control/summary", control.summary)
    app.router.add_get("/_control/{namespace}/{name}", control.cluster)
    app.router.add_put("/_control/{namespace}/{name}", control.order)
    app.router.add_delete("/_control/{namespace}/{name}", control.cancel)
    app.router.add_get("/_control/{namespace}/{name}/calls", control.calls)
    app.router.add_delete("/_control/{namespace}/{name}/calls", control.forget_calls)
    app.router.add_route("*", "/{namespace}/{name}/{path:.*}", rest.handle)
    return app


def _key(request: web.Request) -> tuple[str, str]:
    return request.match_info["namespace"], request.match_info["name"]


def _matches(pattern: tuple[str, str], key: tuple[str, str]) -> bool:
    return all(wanted in {"*", given} for wanted, given in zip(pattern, key, strict=True))
