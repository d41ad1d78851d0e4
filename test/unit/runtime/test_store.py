import pytest

from flinkop.kube.meta import Meta, ObjectKey
from flinkop.kube.objects import Partial
from flinkop.runtime.store import Store

KEY = ObjectKey("ns", "a")


def obj(version, uid="u1", name="a", namespace="ns", **labels):
    return Partial(
        Meta(name=name, namespace=namespace, uid=uid, resource_version=str(version), labels=labels)
    )


def seen(changes):
    """Changes as pairs of versions."""
    return [
        (c.old and c.old.metadata.resource_version, c.new and c.new.metadata.resource_version)
        for c in changes
    ]


def make():
    return Store({"app": lambda o: [o.metadata.labels["app"]] if o.metadata.labels else []})


def test_added_changed_deleted():
    """Each step says what it changed."""
    store = make()
    assert seen(store.upsert(obj(5))) == [(None, "5")]
    assert seen(store.upsert(obj(7))) == [("5", "7")]
    assert seen(store.delete(obj(8).metadata)) == [("7", None)]
    assert len(store) == 0
    assert store.get(KEY) is None


@pytest.mark.parametrize("version", [9, 10])
def test_older_is_ignored(version):
    """Versions compare as numbers, and what is not newer changes nothing."""
    store = make()
    store.upsert(obj(10))
    assert store.upsert(obj(version)) == ()
    assert store.note(obj(version)) == ()


def test_opaque_versions_are_taken():
    """Versions that are no numbers are taken in the order of the stream."""
    store = make()
    store.upsert(obj("zz"))
    assert seen(store.upsert(obj("aa"))) == [("zz", "aa")]
    assert store.upsert(obj("aa")) == ()


def test_recreated():
    """The same name with another uid is a deletion and an addition."""
    store = make()
    store.upsert(obj(5))
    assert seen(store.upsert(obj(9, "u2"))) == [("5", None), (None, "9")]


def test_older_bearer_of_the_name():
    """News of an earlier bearer of the name does not touch the present one."""
    store = make()
    store.note(obj(9, "u2"))
    assert store.upsert(obj(5, "u1")) == ()
    assert store.delete(obj(7, "u1").metadata) == ()
    assert store.get(KEY) is not None


def test_deletion_of_a_later_bearer():
    """A deletion of a bearer that was never seen ends the one before as well."""
    store = make()
    store.upsert(obj(5, "u1"))
    assert seen(store.delete(obj(9, "u2").metadata)) == [("5", None)]


def test_deletion_wins():
    """A deletion wins over a stored version of the same uid, whatever its number."""
    store = make()
    store.note(obj(9))
    assert seen(store.delete(obj(8).metadata)) == [("9", None)]


def test_late_note_does_not_resurrect():
    """An answer to a write that arrives after the deletion is dropped; a later object is not."""
    store = make()
    store.upsert(obj(5))
    store.delete(obj(8).metadata)
    store.advance("8")
    assert store.note(obj(7)) == ()
    assert seen(store.note(obj(11, "u2"))) == [(None, "11")]


def test_late_note_after_a_relist():
    """The same when the object came and went between two lists, unseen."""
    store = make()
    store.replace([], "9", namespace="ns")
    assert store.note(obj(7)) == ()
    assert seen(store.note(obj(7, namespace="other"))) == [(None, "7")]


def test_late_note_after_recreation():
    """The same when the name was taken by another object, which then went too."""
    store = make()
    store.upsert(obj(5))
    store.upsert(obj(9, "u2"))
    store.delete(obj(10, "u2").metadata)
    store.advance("10", "ns")
    assert store.note(obj(6)) == ()


def test_note_when_the_type_comes_back():
    """Where a stream had come to means nothing once its type was gone."""
    store = make()
    store.replace([], "9")
    store.replace([], None)
    assert seen(store.note(obj(7))) == [(None, "7")]


def test_a_selector_lets_go_and_takes_back():
    """An object whose labels match again comes back with the same uid."""
    store = make()
    store.upsert(obj(5))
    store.delete(obj(8).metadata)
    assert seen(store.upsert(obj(9))) == [(None, "9")]
    assert seen(store.note(obj(10))) == [("9", "10")]


def test_replace():
    """A list adds, changes and deletes; what is the same is no change."""
    store = make()
    for name in "abc":
        store.upsert(obj(5, f"u{name}", name))
    changes = store.replace([obj(5, "ua", "a"), obj(8, "ub", "b"), obj(7, "ud", "d")], "9")
    assert seen(changes) == [("5", "8"), (None, "7"), ("5", None)]
    assert sorted(o.metadata.name for o in store.list()) == ["a", "b", "d"]


def test_replace_one_namespace():
    """A list of one namespace says nothing of the others."""
    store = make()
    store.upsert(obj(5, namespace="other"))
    store.upsert(obj(5))
    assert seen(store.replace([], "9", namespace="ns")) == [("5", None)]
    assert [o.metadata.namespace for o in store.list()] == ["other"]


def test_replace_keeps_what_is_newer():
    """The answer to a write that is newer than the list survives it."""
    store = make()
    store.note(obj(11))
    assert store.replace([], "9") == ()
    assert store.replace([obj(8)], "9") == ()


def test_replace_keeps_undecodable():
    """What was listed but not decoded keeps its last good version."""
    store = make()
    store.upsert(obj(5))
    assert store.replace([], "9", keep={KEY}) == ()


def test_replace_with_nothing_left():
    """Without a version a list wins over everything: the type is gone."""
    store = make()
    store.note(obj(11))
    assert seen(store.replace([], None)) == [("11", None)]


def test_replace_back_in_time():
    """After a restored backup older versions are taken, newer ones dropped."""
    store = make()
    store.upsert(obj(50))
    store.upsert(obj(60, "ub", "b"))
    assert seen(store.replace([obj(20)], "30", reset=True)) == [("50", "20"), ("60", None)]


def test_steps_may_be_interleaved():
    """Writes and deletions between the steps of a list are not undone by it."""
    store = make()
    store.upsert(obj(5, "ub", "b"))
    store.upsert(obj(5, "uc", "c"))
    steps = store.replacing([obj(5, "ua", "a")], "6")
    next(steps)
    store.note(obj(9, "ub", "b"))
    store.delete(obj(8, "uc", "c").metadata)
    assert [change for change in steps if change] == []
    assert sorted(o.metadata.name for o in store.list()) == ["a", "b"]


def test_namespaces():
    """Objects are found by namespace."""
    store = make()
    store.upsert(obj(1, "u1", "a", "n1"))
    store.upsert(obj(2, "u2", "b", "n2"))
    assert [o.metadata.name for o in store.list("n1")] == ["a"]
    assert store.list("n3") == ()
    assert store.statistics()["namespaces"] == 2


def test_indexes():
    """Objects are found by index, follow their values, and leave."""
    store = make()
    store.upsert(obj(1, app="x"))
    store.upsert(obj(2, "u2", "b", app="x"))
    assert [o.metadata.name for o in store.by_index("app", "x")] == ["a", "b"]
    store.upsert(obj(3, app="y"))
    assert [o.metadata.name for o in store.by_index("app", "x")] == ["b"]
    assert [o.metadata.name for o in store.by_index("app", "y")] == ["a"]
    store.delete(obj(4).metadata)
    assert store.by_index("app", "y") == ()
    with pytest.raises(KeyError):
        store.by_index("nope", "x")


def test_repr():
    """A store shows its size."""
    store = make()
    store.upsert(obj(1))
    assert repr(store) == "<Store of 1 objects in 1 namespaces>"
