from __future__ import annotations

import json
import math
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.engine.participants.metadata import (
    LARGEST_NUMBER,
    LONGEST_KEY,
    LONGEST_VALUE,
    MOST_KEYS,
    InvalidMetadata,
    camel_key,
    checked,
    merged,
)

KEYS = st.text(string.ascii_letters + string.digits, min_size=1, max_size=LONGEST_KEY).filter(
    lambda key: not key.isdigit() and camel_key_or_none(key) is not None
)
VALUES = st.one_of(
    st.text(max_size=20),
    st.booleans(),
    st.integers(min_value=-LARGEST_NUMBER, max_value=LARGEST_NUMBER),
    st.floats(min_value=-1e9, max_value=1e9),
)
STORED = st.dictionaries(KEYS.map(camel_key), VALUES, max_size=8)
CHANGES = st.dictionaries(KEYS.map(camel_key), st.one_of(st.none(), VALUES), max_size=8)
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=600)),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=8,
)


def camel_key_or_none(key: str) -> str | None:
    try:
        return camel_key(key)
    except InvalidMetadata:
        return None


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("plan", "plan"),
        ("My Metadata Key", "myMetadataKey"),
        ("spx_user_id", "spxUserId"),
        ("company-size", "companySize"),
        ("alreadyCamel", "alreadyCamel"),
        ("Plan", "plan"),
        ("  padded key ", "paddedKey"),
        ("__leading", "leading"),
        ("a1", "a1"),
        ("1a", "1a"),
        ("k" * LONGEST_KEY, "k" * LONGEST_KEY),
    ],
)
def test_a_key_is_stored_in_camel_case(sent: str, stored: str) -> None:
    assert camel_key(sent) == stored


@pytest.mark.parametrize(
    "key",
    ["", " ", "_", "a.b", "a#b", "naïve", "ключ", "a\x00b", "a/b", "emoji😀", "a\nb", "$where"],
)
def test_a_key_of_other_than_letters_and_digits_is_refused(key: str) -> None:
    with pytest.raises(InvalidMetadata, match="letters and digits"):
        camel_key(key)


def test_a_key_of_more_than_forty_characters_is_refused() -> None:
    with pytest.raises(InvalidMetadata, match="longer than 40"):
        camel_key("k" * (LONGEST_KEY + 1))


def test_a_key_of_digits_only_is_refused_because_javascript_would_reorder_it() -> None:
    with pytest.raises(InvalidMetadata, match="letter"):
        camel_key("2026")


@pytest.mark.parametrize("key", ["gdprAgreements", "gdpr agreements", "gdpr_agreements"])
def test_the_reserved_key_is_refused_in_every_spelling(key: str) -> None:
    with pytest.raises(InvalidMetadata, match="reserved"):
        camel_key(key)


def test_two_spellings_of_one_key_are_refused() -> None:
    with pytest.raises(InvalidMetadata, match="userId"):
        checked({"user id": 1, "user_id": 2})


@pytest.mark.parametrize(
    "value", ["", "x" * LONGEST_VALUE, 0, -1.5, True, False, None, LARGEST_NUMBER, -LARGEST_NUMBER]
)
def test_a_scalar_is_kept_as_it_was_sent(value: object) -> None:
    kept = checked({"key": value})["key"]

    assert kept == value
    assert type(kept) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        "x" * (LONGEST_VALUE + 1),
        LARGEST_NUMBER + 1,
        -LARGEST_NUMBER - 1,
        pytest.param(10**400, id="googols"),
        math.inf,
        -math.inf,
        math.nan,
        [],
        {},
        ["a"],
        {"a": 1},
    ],
)
def test_a_value_that_cannot_be_carried_on_unharmed_is_refused(value: object) -> None:
    with pytest.raises(InvalidMetadata):
        checked({"key": value})


def test_fifty_keys_are_the_most() -> None:
    fifty = {f"key{number}": number for number in range(MOST_KEYS)}

    assert checked(fifty) == fifty
    with pytest.raises(InvalidMetadata, match="50"):
        checked({**fifty, "oneMore": 1})


def test_merging_cannot_grow_beyond_fifty_keys() -> None:
    fifty = {f"key{number}": number for number in range(MOST_KEYS)}

    with pytest.raises(InvalidMetadata, match="50"):
        merged(fifty, {"oneMore": 1})
    assert len(merged(fifty, {"oneMore": 1, "key0": None})) == MOST_KEYS


@given(before=STORED, changes=CHANGES)
def test_a_merge_sets_what_is_given_removes_nulls_and_keeps_the_rest(
    before: dict[str, str | int | float | bool],
    changes: dict[str, str | int | float | bool | None],
) -> None:
    after = merged(before, changes)

    for key in before.keys() | changes.keys():
        if key not in changes:
            assert after[key] == before[key]
        elif changes[key] is None:
            assert key not in after
        else:
            assert after[key] == changes[key]
    assert after.keys() <= before.keys() | changes.keys()


@given(before=STORED)
def test_null_as_a_whole_clears_everything(before: dict[str, str | int | float | bool]) -> None:
    assert merged(before, None) == {}


@given(st.dictionaries(st.text(max_size=50), ANYTHING, max_size=4))
def test_whatever_is_sent_is_refused_or_becomes_plain_json(sent: dict[str, object]) -> None:
    try:
        accepted = checked(sent)
    except InvalidMetadata:
        return

    assert json.loads(json.dumps(accepted, allow_nan=False)) == accepted
    assert all(key.isascii() and key.isalnum() for key in accepted)
