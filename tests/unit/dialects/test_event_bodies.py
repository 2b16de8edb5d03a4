"""What both event APIs take in a body, and what not."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.errors import InvalidRequest, UnsupportedMediaType
from grapevine.http.exact_body import MOST_LEVELS, UNREADABLE, parse_exact
from grapevine.http.models.event_fields import MetadataRefused, checked_metadata
from grapevine.table import exact_json


def parse(text: str) -> dict[str, Any]:
    return parse_exact(text.encode("utf-8", "surrogatepass"), "application/json")


def problem(text: str) -> tuple[str, str]:
    """The field and the code of what is wrong."""
    with pytest.raises(InvalidRequest) as refused:
        parse(text)
    [one] = refused.value.problems
    return one.field, one.code


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("-7", -7),
        ("999999999999999", 999_999_999_999_999),
        ("49.99", Decimal("49.99")),
        ("49.90", Decimal("49.90")),
        ("0.1", Decimal("0.1")),
        ("1e3", Decimal("1e3")),
        ("-0.0", Decimal("-0.0")),
        ("99999999999999.9999999999999999999999", Decimal("99999999999999.9999999999999999999999")),
        ("0." + "0" * 37 + "1", Decimal("1e-38")),
    ],
)
def test_a_number_is_taken_exactly(text: str, number: Any) -> None:
    read = parse(f'{{"n":{text}}}')["n"]

    assert (type(read), repr(read)) == (type(number), repr(number))


@pytest.mark.parametrize(
    "text",
    [
        "1000000000000000",
        "-1000000000000000",
        "1e15",
        "1e999999999",
        "1e9999999999999999999999",
        "1e-39",
        "1e-999999999",
        "0." + "1" * 39,
        "9" * 41,
        "9" * 5000,
        "-" + "9" * 60_000,
    ],
)
def test_a_number_beyond_the_limits_is_refused_where_it_stands(text: str) -> None:
    assert problem(f'{{"a":{{"b":[0,{text}]}}}}') == ("a.b.1", "number")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"a":1,"a":1}', "a"),
        ('{"a":{"b":1,"c":2,"b":3}}', "a.b"),
        ('{"a":[{},{"b":1,"\\u0062":2}]}', "a.1.b"),
    ],
)
def test_a_key_that_comes_twice_is_refused_where_it_stands(text: str, field: str) -> None:
    assert problem(text) == (field, "replicated")


@pytest.mark.parametrize("text", ['{"a":"\\ud800"}', '{"a":{"\\udfff":1}}', '{"a":["\\ude00x"]}'])
def test_half_a_surrogate_pair_is_no_text(text: str) -> None:
    field, code = problem(text)

    assert code == "text"
    assert field.encode()


def test_a_whole_surrogate_pair_is_one() -> None:
    assert parse('{"a":"\\ud83d\\ude00"}') == {"a": "😀"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"null",
        b"[1]",
        b"5",
        b'"a"',
        b"{",
        b"{'a':1}",
        b'{"a":NaN}',
        b'{"a":+1}',
        b"\xff{}",
    ],
)
def test_what_is_no_json_object_is_unreadable(data: bytes) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_exact(data, None)

    assert [each.code for each in refused.value.problems] == [UNREADABLE]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "x"])
def test_what_says_that_it_is_something_else_is_refused(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        parse_exact(b"{}", content_type)


def nested(levels: int, opened: str, closed: str) -> str:
    return '{"a":' + opened * levels + "1" + closed * levels + "}"


@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("levels", [MOST_LEVELS, 500, 5_000])
def test_what_is_nested_too_deeply_is_refused_and_breaks_nothing(
    levels: int, opened: str, closed: str
) -> None:
    assert parse(nested(MOST_LEVELS - 1, opened, closed))
    assert problem(nested(levels, opened, closed))[1] in {"depth", UNREADABLE}


NUMBERS = st.one_of(
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.decimals(-(10**6), 10**6, allow_nan=False, places=6),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.text(max_size=20), NUMBERS)
METADATA = st.dictionaries(
    st.text(max_size=10),
    st.one_of(
        SCALARS, st.lists(SCALARS, max_size=5), st.dictionaries(st.text(max_size=5), SCALARS)
    ),
    max_size=5,
)


@given(METADATA)
def test_metadata_comes_out_as_it_went_in(metadata: dict[str, Any]) -> None:
    assert checked_metadata(parse(exact_json.dumps(metadata))) == metadata


@given(st.text('{}[]",:\\0123456789.-+eEtrufalsn \n\tNaI😀\x00', max_size=60))
def test_whatever_is_sent_is_read_or_refused(text: str) -> None:
    try:
        read = parse(text)
    except InvalidRequest:
        return
    assert json.loads(text).keys() == read.keys()


@pytest.mark.parametrize(
    "metadata",
    [
        {f"k{number}": number for number in range(50)},
        {"k" * 100: 1},
        {"k": "x" * 1000},
        {"k": "😀" * 1000},
        {"k": [1] * 100},
        {"k": [True, None, "a", Decimal("1.5")]},
        {"k": {"deep": {"er": [1]}}},
        {"": ""},
    ],
)
def test_metadata_within_the_limits_is_taken(metadata: dict[str, Any]) -> None:
    assert checked_metadata(metadata) == metadata


@pytest.mark.parametrize(
    "metadata",
    [
        {f"k{number}": number for number in range(51)},
        {"k" * 101: 1},
        {"k": "x" * 1001},
        {"k": ["x" * 1001]},
        {"k": [1] * 101},
        {"k": [[1]]},
        {"k": [{}]},
        {"k": {"deep": {"x" * 101: 1}}},
        {"k": {"deep": "x" * 1001}},
        {"k": {f"k{number}": number for number in range(51)}},
        {f"k{number}": "x" * 900 for number in range(10)},
        {f"k{number}": "😀" * 300 for number in range(10)},
        [],
        "text",
        0,
        False,
    ],
)
def test_metadata_beyond_a_limit_is_refused(metadata: Any) -> None:
    with pytest.raises(MetadataRefused):
        checked_metadata(metadata)


def test_metadata_of_8_kib_is_the_largest() -> None:
    empty = {f"k{number}": "" for number in range(9)}
    room = 8 * 1024 - len(exact_json.dumps(empty))
    filled = {**{f"k{number}": "x" * 900 for number in range(8)}, "k8": "x" * (room - 7200)}

    assert checked_metadata(filled) == filled
    with pytest.raises(MetadataRefused):
        checked_metadata({**filled, "k8": filled["k8"] + "x"})
