"""A store that follows a stream, loses its place, lists again, and hears answers to writes late."""

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from flinkop.kube.meta import Meta, ObjectKey
from flinkop.kube.objects import Partial
from flinkop.runtime.store import Store

NAMES = st.sampled_from(["a", "b"])
VALUES = st.sampled_from(["x", "y", "z"])


class StoreModel(RuleBasedStateMachine):
    """The API server is `self.server` with a history; the store must end where the server is."""

    def __init__(self):
        super().__init__()
        self.version = 100
        self.uids = 0
        self.server: dict[str, Partial] = {}
        self.pending: list[tuple[str, Partial]] = []  # sent by the server, not yet read
        self.answers: list[Partial] = []  # answers to writes, not yet noted
        self.heard: dict[ObjectKey, Partial] = {}  # what a handler believes
        self.store: Store[Partial] = Store({"value": lambda o: [o.metadata.labels["v"]]})

    def _object(self, name, uid, value):
        self.version += 1
        return Partial(
            Meta(
                name=name,
                namespace="n",
                uid=uid,
                resource_version=str(self.version),
                labels={"v": value},
            )
        )

    def _hear(self, changes):
        for change in changes:
            key = (change.new or change.old).metadata.key
            assert self.heard.get(key) is change.old
            if change.new is None:
                del self.heard[key]
            else:
                if change.old is not None:
                    assert change.old.metadata.uid == change.new.metadata.uid
                self.heard[key] = change.new

    @rule(name=NAMES, value=VALUES, ours=st.booleans())
    def write(self, name, value, ours):
        """Somebody makes or changes an object; if it was us, an answer is on its way."""
        if name in self.server:
            uid, kind = self.server[name].metadata.uid, "MODIFIED"
        else:
            self.uids += 1
            uid, kind = f"u{self.uids}", "ADDED"
        self.server[name] = made = self._object(name, uid, value)
        self.pending.append((kind, made))
        if ours:
            self.answers.append(made)

    @rule(name=NAMES)
    def delete(self, name):
        """Somebody deletes an object."""
        if name in self.server:
            old = self.server.pop(name).metadata
            gone = self._object(name, old.uid, old.labels["v"])
            self.pending.append(("DELETED", gone))

    @rule()
    def read(self):
        """The stream brings the next event."""
        if self.pending:
            kind, found = self.pending.pop(0)
            self.store.advance(found.metadata.resource_version)
            if kind == "DELETED":
                self._hear(self.store.delete(found.metadata))
            else:
                self._hear(self.store.upsert(found))

    @rule(data=st.data())
    def answer(self, data):
        """An answer to a write arrives, out of order with the stream and with others."""
        if self.answers:
            index = data.draw(st.integers(0, len(self.answers) - 1))
            self._hear(self.store.note(self.answers.pop(index)))

    @rule(between=st.booleans(), data=st.data())
    def relist(self, between, data):
        """The stream is lost: events since are dropped, and a list comes instead."""
        self.pending.clear()
        steps = self.store.replacing(list(self.server.values()), str(self.version))
        for change in steps:
            self._hear([change] if change else [])
            if between:
                self.answer(data)

    @rule(data=st.data())
    def settle(self, data):
        """Everything that is on its way arrives: then the store is what the server has."""
        while self.pending or self.answers:
            if self.pending and data.draw(st.booleans()):
                self.read()
            else:
                self.answer(data)
        self._equal()

    def teardown(self):
        """The same at the end, with the answers last: the order that is hardest."""
        while self.pending:
            self.read()
        while self.answers:
            self._hear(self.store.note(self.answers.pop()))
        self._equal()

    def _equal(self):
        found = {o.metadata.name: o.metadata.resource_version for o in self.store.list()}
        assert found == {n: o.metadata.resource_version for n, o in self.server.items()}

    @invariant()
    def indexes_agree(self):
        """Indexes, namespaces and what handlers heard agree with the objects."""
        stored = {o.metadata.key: o for o in self.store.list()}
        assert stored == self.heard
        assert {o.metadata.key for o in self.store.list("n")} == set(stored)
        for value in ("x", "y", "z"):
            filed = {o.metadata.key for o in self.store.by_index("value", value)}
            assert filed == {key for key, o in stored.items() if o.metadata.labels["v"] == value}


TestStore = StoreModel.TestCase
TestStore.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
