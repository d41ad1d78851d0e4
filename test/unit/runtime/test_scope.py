import pytest
from fakes.scriptedsource import ScriptedSource

from flinkop.kube.meta import Meta, ObjectKey
from flinkop.kube.objects import NamespaceView, Undecodable
from flinkop.runtime.scope import ALL, FixedScope, ListedScope, SelectedScope


def _view(name, uid="u"):
    return NamespaceView(Meta(name=name, uid=uid))


async def test_fixed():
    """All namespaces are one watch; a list is what it is; both are known from the start."""
    assert ALL.namespaces() is None
    assert ALL.settled
    scope = FixedScope(["b", "a", "a"])
    assert scope.namespaces() == frozenset({"a", "b"})
    assert scope.synced
    scope.subscribe(lambda: None)
    await scope.run()
    assert repr(scope) == "<FixedScope a, b>"
    assert repr(ALL) == "<FixedScope all>"


def test_empty_list():
    """An empty list is a mistake, not all namespaces."""
    with pytest.raises(ValueError, match="at least one"):
        FixedScope([])


def test_listed():
    """Another set is told to listeners, the same one is not; no list is all namespaces."""
    told: list[frozenset[str] | None] = []
    scope = ListedScope(["a"])
    scope.subscribe(lambda: told.append(scope.namespaces()))
    for names in (["a"], ["b", "a"], ["a", "b"], None, None, ["c"]):
        scope.change(names)
    assert told == [frozenset({"a", "b"}), None, frozenset({"c"})]
    with pytest.raises(ValueError, match="at least one"):
        scope.change([])
    assert scope.namespaces() == frozenset({"c"})


async def test_selected():
    """Listeners hear when the set changes, not when a namespace does."""
    told = []
    scope = SelectedScope(ScriptedSource(), "a=b")
    scope.subscribe(lambda: told.append(sorted(scope.namespaces())))
    await scope.replace([_view("a"), _view("b")], "5", keep={ObjectKey("", "odd")}, reset=False)
    scope.upsert(_view("a"))
    scope.upsert(_view("c"))
    scope.delete(Meta(name="c", uid="an earlier one"))
    scope.delete(Meta(name="c", uid="u"))
    scope.undecodable(Undecodable(ObjectKey("", "d"), "u", "7", "x"))
    scope.undecodable(Undecodable(ObjectKey("", "d"), "u", "8", "x"))
    assert told == [
        ["a", "b", "odd"],
        ["a", "b", "c", "odd"],
        ["a", "b", "odd"],
        ["a", "b", "d", "odd"],
    ]
    assert not scope.settled
    assert repr(scope) == "<SelectedScope syncing: a, b, d, odd>"


async def test_namespace_made_again():
    """A namespace made anew under the same name stays, whatever is said of the one before."""
    scope = SelectedScope(ScriptedSource(), "a=b")
    scope.upsert(_view("a", "u1"))
    scope.upsert(_view("a", "u2"))
    scope.delete(Meta(name="a", uid="u1"))
    assert scope.namespaces() == {"a"}
