"""What this process remembers of Flink's answers."""

import datetime as dt

from flinkop.controllers.flinkstatesnapshot.contact import Contact
from flinkop.kube.meta import ObjectKey

A, B = ObjectKey("ns", "a"), ObjectKey("ns", "b")
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def after(seconds):
    return NOW + dt.timedelta(seconds=seconds)


def test_silence_is_counted_from_its_first_moment():
    """For each snapshot and trigger apart."""
    contact = Contact()
    assert contact.silent(A, "one", NOW) == 0
    assert contact.silent(A, "one", after(5)) == 5
    assert contact.silent(B, "one", after(5)) == 0
    assert contact.silent(A, "two", after(7)) == 0
    assert contact.silent(A, "two", after(9)) == 2


def test_an_answer_ends_the_silence():
    """And is remembered for this trigger alone."""
    contact = Contact()
    assert not contact.has_heard(A, "one")
    contact.silent(A, "one", NOW)
    assert not contact.has_heard(A, "one")
    contact.heard(A, "one", after(10))
    assert contact.has_heard(A, "one")
    assert not contact.has_heard(A, "two")
    assert contact.silent(A, "one", after(13)) == 3
    assert contact.has_heard(A, "one")


def test_a_clock_that_goes_back_makes_no_negative_silence():
    """Wall time may do that."""
    contact = Contact()
    contact.silent(A, "one", NOW)
    assert contact.silent(A, "one", after(-5)) == 0


def test_a_disposal_is_under_way_until_it_is_ended():
    """By its request; another resource of the same name has none."""
    contact = Contact()
    assert contact.disposal(A, "uid") is None
    contact.disposing(A, "uid", "request")
    assert (contact.disposal(A, "uid"), contact.disposal(B, "uid")) == ("request", None)
    assert contact.disposal(A, "other") is None
    contact.end_disposal(A)
    contact.end_disposal(B)
    assert contact.disposal(A, "uid") is None


def test_nothing_is_kept_of_a_snapshot_that_is_gone():
    """Another may come to bear its name."""
    contact = Contact()
    contact.heard(A, "one", NOW)
    contact.disposing(A, "uid", "request")
    contact.forget(A)
    contact.forget(B)
    assert not contact.has_heard(A, "one")
    assert contact.disposal(A, "uid") is None
