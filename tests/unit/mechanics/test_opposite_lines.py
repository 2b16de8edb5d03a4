"""The lines that take an event back: never more than there is, and the sum stays the total."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grapevine.engine.mechanics.reversing import opposite
from grapevine.table.ledger import LedgerLine
from grapevine.table.players import Player

AT = 1_800_000_000_000


def player_with(points: int) -> Player:
    return Player(
        campaign_id="camp01", user_id="u", total_points=points, joined_at=AT, reached_at=AT
    )


def lines_of(amounts: list[int]) -> list[LedgerLine]:
    return [
        LedgerLine(
            campaign_id="camp01",
            user_id="u",
            at=AT,
            event_id="evt_1",
            number=number,
            points=points,
            balance_after=sum(amounts[: number + 1]),
            reason="rule",
            source_id=f"rule-{number}",
            event_type="purchase",
        )
        for number, points in enumerate(amounts)
    ]


def test_each_line_is_taken_back_the_last_one_first() -> None:
    taken = opposite(player_with(700), lines_of([100, 500]), AT + 1)

    assert [(line.source_id, line.points, line.balance_after) for line in taken] == [
        ("rule-1", -500, 200),
        ("rule-0", -100, 100),
    ]
    assert {(line.reason, line.uncovered, line.at) for line in taken} == {
        ("reversal", None, AT + 1)
    }


def test_what_is_not_there_cannot_be_taken_and_is_told() -> None:
    taken = opposite(player_with(510), lines_of([100, 500]), AT + 1)

    assert [(line.points, line.balance_after, line.uncovered) for line in taken] == [
        (-500, 10, None),
        (-10, 0, 90),
    ]


@given(total=st.integers(0, 5000), amounts=st.lists(st.integers(1, 10**9), min_size=1, max_size=21))
def test_the_sum_stays_the_total_and_no_total_is_below_zero(total: int, amounts: list[int]) -> None:
    taken = opposite(player_with(total), lines_of(amounts), AT + 1)

    assert taken[-1].balance_after == total + sum(line.points for line in taken)
    assert all(line.balance_after >= 0 for line in taken)
    uncovered = sum(line.uncovered or 0 for line in taken)
    assert uncovered - sum(line.points for line in taken) == sum(amounts)
    assert len({line.key for line in taken}) == len(amounts)
