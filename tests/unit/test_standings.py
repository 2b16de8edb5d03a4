from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grapevine.table import standings
from grapevine.table.standings import Place, Standing, position

MONTH = 2026 * 12 + 10

SEQUENCES = st.integers(min_value=1, max_value=10**10 - 1)


def standing(sequence: int = 1, **fields: object) -> Standing:
    values: dict[str, object] = {
        "campaign_id": "camp01",
        "participant_id": f"p{sequence}",
        "join_sequence": sequence,
        "joined_month": MONTH,
        **fields,
    }
    return Standing(**values)  # type: ignore[arg-type]


# Places


@given(st.lists(st.tuples(st.integers(0, 10**9), SEQUENCES), unique=True, max_size=20))
def test_places_sort_by_more_referrals_then_by_the_earlier_joiner(
    entries: list[tuple[int, int]],
) -> None:
    by_place = sorted(entries, key=lambda entry: -position(*entry))

    assert by_place == sorted(entries, key=lambda entry: (-entry[0], entry[1]))


@given(count=st.integers(0, 10**9), sequence=SEQUENCES)
def test_a_place_tells_count_and_join_sequence_again(count: int, sequence: int) -> None:
    partition = standing(sequence).key.partition

    place = standings._place(partition, position(count, sequence))

    assert place == Place(f"p{sequence}", count, sequence)


def test_the_largest_place_fits_a_dynamodb_number() -> None:
    assert len(str(position(10**15, 1))) <= 38


# Months


def test_a_month_without_a_credit_counts_zero() -> None:
    assert standing().count_in(MONTH) == 0


def test_last_months_count_stays_beside_this_months() -> None:
    changed = standing().plus_one(MONTH).plus_one(MONTH).plus_one(MONTH + 1)

    assert changed.count_in(MONTH) == 2
    assert changed.count_in(MONTH + 1) == 1
    assert changed.count_in(MONTH + 2) == 0
    assert changed.referral_count == 3


def test_the_first_credit_of_a_month_forgets_the_month_before_last() -> None:
    changed = standing().plus_one(MONTH).plus_one(MONTH + 2)

    assert changed.count_in(MONTH) == 0
    assert changed.count_in(MONTH + 2) == 1
    assert changed.referral_count == 2


def test_taking_back_a_credit_of_an_overwritten_month_lowers_the_total_only() -> None:
    changed = standing().plus_one(MONTH).plus_one(MONTH + 2).minus_one(MONTH)

    assert changed.count_in(MONTH + 2) == 1
    assert changed.referral_count == 1


def test_taking_back_the_last_credit_of_a_month_leaves_its_board() -> None:
    changed = standing().plus_one(MONTH).minus_one(MONTH)

    assert changed.count_in(MONTH) == 0
    assert not any("MonthBoard" in name for name in changed.to_item())


@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=30),
)
def test_month_counts_agree_with_a_list_of_all_credits(steps: list[tuple[int, bool]]) -> None:
    """Time only moves on; a credit of any earlier month may be taken back at any time."""
    now = MONTH
    given_in: list[int] = []
    kept = standing()

    for ahead, gives in steps:
        now += ahead
        if gives:
            given_in.append(now)
            kept = kept.plus_one(now)
        elif given_in:
            taken = given_in.pop(ahead % len(given_in))
            kept = kept.minus_one(taken)

        assert kept.referral_count == len(given_in)
        assert kept.count_in(now) == given_in.count(now)
        assert kept.count_in(now - 1) == given_in.count(now - 1)


@given(st.lists(st.booleans(), max_size=10))
def test_every_change_raises_the_version_by_one(credits_given: list[bool]) -> None:
    kept = standing(referral_count=20)

    for number, gives in enumerate(credits_given, 1):
        kept = kept.plus_one(MONTH) if gives else kept.minus_one(MONTH)
        assert kept.version == number


# Index entries


def test_a_new_standing_is_in_the_all_time_board_and_in_join_order_only() -> None:
    item = standing(7).to_item()

    assert item["allTimePosition"] == position(0, 7)
    assert item["joinSequence"] == 7
    assert "joinOrderOf" in item
    assert "evenMonthBoard" not in item
    assert "oddMonthBoard" not in item


def test_neighbouring_months_are_in_different_indexes() -> None:
    item = standing().plus_one(MONTH).plus_one(MONTH + 1).to_item()

    assert item["evenMonthBoard"] != item["oddMonthBoard"]
    assert item["evenMonthPosition"] == item["oddMonthPosition"] == position(1, 1)


def test_a_tombstone_is_in_no_board() -> None:
    item = standing(deleted_at=5, expires_at=6).plus_one(MONTH).to_item()

    assert not {name for name in item if "Board" in name or name == "joinOrderOf"}
