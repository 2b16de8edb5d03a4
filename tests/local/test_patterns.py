from __future__ import annotations

import json
from typing import Any

import pytest

from local.patterns import BadPattern, Filters

RECORD = {
    "eventName": "MODIFY",
    "dynamodb": {
        "NewImage": {"type": {"S": "Standing"}, "count": {"N": "7"}, "old": {"BOOL": True}},
        "SizeBytes": 26,
        "tags": ["a", "b"],
    },
}


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ({"eventName": ["INSERT", "MODIFY"]}, True),
        ({"eventName": ["INSERT"]}, False),
        ({"dynamodb": {"NewImage": {"type": {"S": ["Standing"]}}}}, True),
        ({"dynamodb": {"NewImage": {"type": {"S": [{"prefix": "Stand"}]}}}}, True),
        ({"dynamodb": {"NewImage": {"type": {"S": [{"suffix": "ing"}]}}}}, True),
        ({"dynamodb": {"NewImage": {"type": {"S": [{"equals-ignore-case": "STANDING"}]}}}}, True),
        ({"dynamodb": {"NewImage": {"type": {"S": [{"anything-but": ["Standing"]}]}}}}, False),
        ({"dynamodb": {"NewImage": {"type": {"S": [{"anything-but": "Profile"}]}}}}, True),
        ({"dynamodb": {"NewImage": {"type": {"S": [{"anything-but": {"prefix": "S"}}]}}}}, False),
        ({"dynamodb": {"NewImage": {"none": {"S": [{"anything-but": "x"}]}}}}, False),
        ({"dynamodb": {"NewImage": {"type": {"S": [{"exists": True}]}}}}, True),
        ({"dynamodb": {"OldImage": {"type": {"S": [{"exists": False}]}}}}, True),
        ({"dynamodb": {"SizeBytes": [{"numeric": [">", 20, "<=", 26]}]}}, True),
        ({"dynamodb": {"SizeBytes": [{"numeric": ["=", 27]}]}}, False),
        ({"dynamodb": {"SizeBytes": [26]}}, True),
        ({"dynamodb": {"NewImage": {"count": {"N": [{"numeric": ["=", 7]}]}}}}, False),
        ({"dynamodb": {"NewImage": {"count": {"N": ["7"]}}}}, True),
        ({"dynamodb": {"NewImage": {"old": {"BOOL": [1]}}}}, False),
        ({"dynamodb": {"NewImage": {"old": {"BOOL": [True]}}}}, True),
        ({"dynamodb": {"tags": ["b"]}}, True),
        ({"$or": [{"eventName": ["REMOVE"]}, {"dynamodb": {"SizeBytes": [26]}}]}, True),
        ({"eventName": ["MODIFY"], "eventSource": ["aws:dynamodb"]}, False),
    ],
)
def test_a_pattern_holds_as_in_eventbridge(*, pattern: Any, matches: bool) -> None:
    assert Filters([json.dumps(pattern)])(RECORD) is matches


def test_one_of_several_patterns_is_enough() -> None:
    filters = Filters(['{"eventName":["REMOVE"]}', '{"eventName":["MODIFY"]}'])

    assert filters(RECORD)


def test_without_patterns_everything_passes() -> None:
    assert Filters()(RECORD)


@pytest.mark.parametrize(
    "pattern",
    ['{"a": "b"}', '{"a": [{"wildcard": "b*"}]}', '{"a": [{"numeric": ["!", 1]}]}', '{"a": [{}]}'],
)
def test_a_pattern_that_is_not_emulated_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern):
        Filters([pattern])
