"""The one job graph that every simulated job has: a source and a map with a sink."""

from attrs import define
from flinksim.settings import Settings

SOURCE = "bc764cd8ddf7a0cff126f51c16239658"
SINK = "20ba6b65f97481d5570070de90e4e791"
SLOT_GROUP = "ba8343b76bb6082ef62dcc6e2ccf3cc2"


@define
class Vertex:
    id: str
    name: str
    description: str
    parallelism: int
    lower: int = 1
    upper: int = 1
    inputs: tuple[str, ...] = ()


def vertices(settings: Settings, parallelism: int) -> list[Vertex]:
    made = [
        Vertex(
            SOURCE,
            "Source: Events Generator Source",
            "Source: Events Generator Source<br/>",
            parallelism,
        ),
        Vertex(
            SINK,
            "Flat Map -> Sink: Print to Std. Out",
            "Flat Map<br/>+- Sink: Print to Std. Out<br/>",
            parallelism,
            inputs=(SOURCE,),
        ),
    ]
    overrides = settings.overrides
    for vertex in made:
        vertex.parallelism = overrides.get(vertex.id, vertex.parallelism)
        vertex.upper = vertex.parallelism
    return made
