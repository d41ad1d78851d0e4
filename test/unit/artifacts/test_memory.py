"""How much of a jar is in memory on its way from its server to Flink."""

import tracemalloc

from aiohttp import web

from flinkop.flink.upload import jar_body

PIECE = b"PK\x03\x04" + bytes((1 << 16) - 4)
PIECES = 512
END = b"PK\x05\x06" + bytes(18)
A_PART = 8 << 20


async def test_a_jar_is_never_whole_in_memory(world):
    """Of 32 MiB that come, and go on as the body of an upload, a few are held at any time."""
    world.serve(_large)
    tracemalloc.start()
    try:
        async with world.store.fetched(world.server.url(), world.terms) as artifact:
            sent = 0
            async for chunk in jar_body(artifact.path, artifact.name).chunks():
                sent += len(chunk)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert artifact.size == len(PIECE) * PIECES + len(END)
    assert sent > artifact.size
    assert peak < A_PART


async def _large(request):
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(PIECES):
        await response.write(PIECE)
    await response.write(END)
    return response
