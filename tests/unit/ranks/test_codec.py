from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.engine.ranks.boards import ALIVE, ALL_TIME, VERSIONS, Boards, laid_over, values_at
from grapevine.engine.ranks.codec import decode, encode

NUMBERS = st.one_of(st.integers(0, 3), st.integers(0, 2**40))
ENTRIES = st.one_of(
    st.dictionaries(st.one_of(st.integers(0, 40), st.integers(0, 10**9)), NUMBERS, min_size=1),
    st.lists(NUMBERS, min_size=1).map(lambda row: dict(enumerate(row, 7))),
)
BOARDS = st.dictionaries(st.sampled_from([ALIVE, ALL_TIME, VERSIONS, 24_322, 24_323]), ENTRIES)


@given(BOARDS)
def test_boards_come_back_as_they_were(boards: Boards) -> None:
    assert decode(encode(boards)) == boards


def test_a_block_of_the_living_takes_a_few_bytes() -> None:
    everybody = {ALIVE: dict.fromkeys(range(1024), 1)}

    assert len(encode(everybody)) < 10


def test_a_usual_block_takes_one_write_unit() -> None:
    """One of ten has referrals, one of twenty-seven some of this month, and everybody lives."""
    boards = {
        ALIVE: dict.fromkeys(range(1024), 1),
        ALL_TIME: {each: each % 7 + 1 for each in range(0, 1024, 10)},
        VERSIONS: {each: each % 7 + 1 for each in range(0, 1024, 10)},
        24_322: dict.fromkeys(range(0, 1024, 27), 1),
        24_323: dict.fromkeys(range(5, 1024, 27), 1),
    }

    assert len(encode(boards)) < 700


def test_a_count_below_zero_is_never_stored() -> None:
    with pytest.raises(ValueError, match="negative"):
        encode({ALL_TIME: {3: -1}})


@given(BOARDS, BOARDS)
def test_laying_over_what_was_there_before_leads_back(before: Boards, changes: Boards) -> None:
    stored = laid_over(before, before)

    undo = values_at(stored, changes)

    assert laid_over(laid_over(stored, changes), undo) == {
        board: kept
        for board, entries in stored.items()
        if (kept := {place: value for place, value in entries.items() if value})
    }
