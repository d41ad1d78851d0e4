"""status.error as JSON (behaviour.md 0.7, api.md 3.8)."""

import json

import pytest

from flinkop.lifecycle.failure import Failure, FailureType, Limits, from_exception, words

PREFIX = "org.apache.flink.kubernetes.operator.exception."


class RestError(Exception):
    """An answer of Flink with a status."""

    def __init__(self, text, status):
        super().__init__(text)
        self.status = status


def raised(error, cause=None):
    """Return `error` as it arrives in a handler."""
    try:
        raise error from cause
    except type(error) as caught:
        return caught


def test_a_failure_without_a_cause():
    """Keys in the reference's order, compact; an empty list of causes."""
    assert Failure(FailureType.VALIDATION, "bad").to_json() == (
        f'{{"type":"{PREFIX}ValidationException","message":"bad",'
        '"additionalMetadata":{},"throwableList":[]}'
    )


def test_the_reason_of_a_failed_deployment_is_metadata():
    """Programs select by it."""
    text = Failure(FailureType.DEPLOYMENT_FAILED, "[c] x", {"reason": "ErrImagePull"}).to_json()
    assert json.loads(text)["additionalMetadata"] == {"reason": "ErrImagePull"}
    assert json.loads(text)["type"] == PREFIX + "DeploymentFailedException"


def test_an_exception_is_told_with_its_causes():
    """The chain of causes in order, at most two of them, with the status of a REST answer."""
    third = raised(KeyError("c"), raised(OSError("d")))
    second = raised(RestError("b", 404), third)
    document = json.loads(from_exception(raised(ValueError("a"), second)).to_json())
    assert document["type"] == PREFIX + "ReconciliationException"
    assert document["message"] == "ValueError: a"
    assert document["throwableList"] == [
        {"type": "RestError", "message": "b", "additionalMetadata": {"httpResponseCode": 404}},
        {"type": "KeyError", "message": "'c'", "additionalMetadata": {}},
    ]


def test_an_error_without_an_answer_has_no_response_code():
    """Status 0 stands for no answer."""
    assert from_exception(RestError("x", 0)).metadata == {}
    assert from_exception(RestError("x", "404")).metadata == {}


def test_a_circle_of_causes_ends():
    """Python allows it."""
    one, other = ValueError("1"), ValueError("2")
    one.__cause__, other.__cause__ = other, one
    assert len(from_exception(one).causes) == 1


def test_fields_and_causes_are_cut():
    """`exception.field.max.length` counts for type, message and reason."""
    causes = tuple(Failure("c" * 9, "m" * 9) for _ in range(5))
    failure = Failure("t" * 9, "m" * 9, {"reason": "r" * 9, "httpResponseCode": 500}, causes)
    document = json.loads(failure.to_json(Limits(field_length=4, causes=3)))
    assert document["type"] == "tttt"
    assert document["message"] == "mmmm"
    assert document["additionalMetadata"] == {"reason": "rrrr", "httpResponseCode": 500}
    assert (
        document["throwableList"]
        == [{"type": "cccc", "message": "mmmm", "additionalMetadata": {}}] * 3
    )


def test_labels_are_found_in_the_message_or_any_cause_below():
    """Each entry gets the labels of itself and what is below it, searched as regular expressions."""
    limits = Limits(labels={"O.t": "outer", "^in": "inner", "never": "no"})
    failure = Failure("a", "the Out", {}, (Failure("b", "inner"),))
    document = json.loads(failure.to_json(limits))
    assert document["additionalMetadata"] == {"labels": ["outer", "inner"]}
    assert document["throwableList"][0]["additionalMetadata"] == {"labels": ["inner"]}


def test_a_broken_expression_labels_nothing():
    """A typing error in the configuration must not keep an error from being told."""
    document = json.loads(Failure("a", "x(").to_json(Limits(labels={"x(": "broken", "x": "whole"})))
    assert document["additionalMetadata"] == {"labels": ["whole"]}


def test_text_is_not_escaped_away():
    """The markers that clients search for stay readable."""
    assert "Manual restore required." in Failure("a", 'ü "Manual restore required."').to_json()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Failure(FailureType.VALIDATION, 'no "image"').to_json(), 'no "image"'),
        ("Job Not Found", "Job Not Found"),
        (
            Failure("a", "given up", causes=(Failure("b", ""), Failure("c", "no disk"))).to_json(),
            "given up -> no disk",
        ),
        ('{"message":"a","throwableList":[3,{"message":4}]}', "a"),
        ('{"message":"a","throwableList":5}', "a"),
        ('{"type":"x"}', '{"type":"x"}'),
        ('{"message":3}', '{"message":3}'),
        ("[1]", "[1]"),
    ],
)
def test_an_error_in_words(error, expected):
    """The message and what caused it; an error that has no message is told as it is."""
    assert words(error) == expected
