from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.engine.mechanics.counters import HASH_LENGTH, MOST_DISTINCT, MOST_RETIRED
from grapevine.engine.mechanics.milestones import MOST_TIMES, current_of
from tests.unit.mechanics.samples import (
    DAY,
    Playing,
    at,
    distinct_values,
    event_count,
    instant_win,
    metadata_sum,
    milestone,
    milestones,
    rule,
    streak,
    tier,
)

TOTAL = {"type": "points_total"}


def reached(playing: Playing) -> int:
    """How often the first milestone has been reached, by the ledger of awards."""
    return sum(award.times for outcome in playing.outcomes for award in outcome.awards)


def current(playing: Playing) -> Fraction:
    configured = playing.configuration.milestones[0]
    progress = playing.player.counters["milestones"][configured.id]
    return current_of(configured, progress, playing.player.total_points)


# Events


def test_i13_a_milestone_on_events_is_reached_once() -> None:
    playing = Playing(milestones(milestone("m", event_count("buy"), 3, points=10)))

    earned = [playing.earns("buy") for _ in range(9)]

    assert earned == [0, 0, 10, 0, 0, 0, 0, 0, 0]
    assert reached(playing) == 1


def test_i13_one_that_repeats_is_reached_at_every_multiple() -> None:
    playing = Playing(milestones(milestone("m", event_count("buy"), 3, repeat=True, points=10)))

    earned = [playing.earns("buy") for _ in range(9)]

    assert earned == [0, 0, 10, 0, 0, 10, 0, 0, 10]
    assert [award.number for outcome in playing.outcomes for award in outcome.awards] == [1, 2, 3]


def test_events_of_another_type_and_untrusted_ones_do_not_count() -> None:
    playing = Playing(
        milestones(milestone("m", event_count("buy"), 2, points=10, requireTrust="server"))
    )

    playing.send("look")
    playing.send("buy", trust="client")
    playing.send("buy")

    assert current(playing) == 1


@pytest.mark.parametrize(
    "metric",
    [
        event_count("buy"),
        metadata_sum("buy", "amount"),
        distinct_values("buy", "amount"),
        streak("buy"),
    ],
    ids=lambda metric: str(metric["type"]),
)
def test_what_needs_trust_is_reached_by_trusted_events_only(metric: dict[str, Any]) -> None:
    playing = Playing(milestones(milestone("m", metric, 1, points=10, requireTrust="server")))

    by_app = playing.send("buy", {"amount": 1}, trust="client")
    by_server = playing.send("buy", {"amount": 1}, trust="server")

    assert [by_app.points_earned, by_server.points_earned] == [0, 10]


# Sums


def test_i13_a_sum_is_exact_and_reached_at_its_threshold() -> None:
    playing = Playing(milestones(milestone("m", metadata_sum("buy", "amount"), 1, points=10)))

    earned = [playing.earns("buy", {"amount": Decimal("0.1")}) for _ in range(10)]

    assert earned == [0] * 9 + [10]
    assert playing.player.counters["milestones"]["m"]["sum"] == "1"


def test_i13_one_event_can_reach_several_multiples_of_a_sum() -> None:
    playing = Playing(
        milestones(milestone("m", metadata_sum("buy", "amount"), 100, repeat=True, points=10))
    )

    playing.send("buy", {"amount": Decimal("99.99")})
    outcome = playing.send("buy", {"amount": Decimal("200.01")})

    assert outcome.points_earned == 30
    assert [(each.times, each.points_earned) for each in outcome.milestones] == [(3, 30)]
    assert [(award.number, award.times, award.points) for award in outcome.awards] == [(3, 3, 30)]
    assert [(line.source_id, line.points) for line in outcome.lines] == [("m", 30)]


def test_a_threshold_of_a_sum_may_have_a_fraction() -> None:
    playing = Playing(
        milestones(
            milestone("m", metadata_sum("buy", "amount"), Decimal("0.5"), repeat=True, points=1)
        )
    )

    assert [playing.earns("buy", {"amount": Decimal("0.3")}) for _ in range(4)] == [0, 1, 0, 1]


@pytest.mark.parametrize("amount", [-100, 0, "many", None, True, {"a": 1}])
def test_a_sum_never_falls(amount: Any) -> None:
    playing = Playing(milestones(milestone("m", metadata_sum("buy", "amount"), 100, points=10)))
    playing.send("buy", {"amount": 60})

    playing.send("buy", {"amount": amount})

    assert current(playing) == 60


def test_what_one_event_reaches_too_often_is_made_up_for_by_the_next_ones() -> None:
    playing = Playing(
        milestones(milestone("m", metadata_sum("buy", "amount"), 1, repeat=True, points=2))
    )

    playing.send("buy", {"amount": 2 * MOST_TIMES + 5})
    playing.send("look")
    playing.send("look")
    playing.send("look")

    awarded = [award.times for outcome in playing.outcomes for award in outcome.awards]
    assert awarded == [MOST_TIMES, MOST_TIMES, 5]
    assert playing.player.total_points == 2 * (2 * MOST_TIMES + 5)


# Different values


def test_i13_different_values_are_counted_once_each() -> None:
    playing = Playing(milestones(milestone("m", distinct_values("buy", "product"), 3, points=10)))
    products: list[Any] = ["a", "a", "b", "A"]

    earned = [playing.earns("buy", {"product": product}) for product in products]

    assert earned == [0, 0, 0, 10]


@pytest.mark.parametrize(
    ("products", "expected"),
    [
        ([1, Decimal("1.0"), Decimal("1.00")], 1),
        ([1, "1"], 2),
        ([True, 1, "True"], 3),
        ([["a", "b"], ["b", "c"]], 3),
        ([{"a": 1}, None, []], 0),
        (["", " "], 2),
        (["\ud800"], 1),
    ],
)
def test_values_are_equal_when_they_are_the_same_value(products: list[Any], expected: int) -> None:
    playing = Playing(milestones(milestone("m", distinct_values("buy", "product"), 9)))

    for product in products:
        playing.send("buy", {"product": product})

    assert current(playing) == expected


def test_i13_different_values_reach_each_multiple_as_long_as_they_are_kept() -> None:
    playing = Playing(
        milestones(milestone("m", distinct_values("buy", "product"), 100, repeat=True, points=1))
    )

    for start in range(0, 700, 50):
        playing.send("buy", {"product": list(range(start, start + 50))})

    kept = playing.player.counters["milestones"]["m"]["values"]
    assert reached(playing) == MOST_DISTINCT // 100
    assert len(kept) == MOST_DISTINCT * HASH_LENGTH


# Streaks


def on_days(playing: Playing, *days: int) -> list[int]:
    start = playing.now
    earned = []
    for day in days:
        playing.now = start + day * DAY
        earned.append(playing.earns("login"))
    return earned


def test_i13_a_streak_is_reached_when_no_day_is_missing() -> None:
    playing = Playing(milestones(milestone("m", streak("login"), 3, points=10)))

    assert on_days(playing, 0, 0, 1, 1, 3, 4, 5, 6, 7, 8) == [0, 0, 0, 0, 0, 0, 10, 0, 0, 0]
    progress = playing.player.counters["milestones"]["m"]
    assert (progress["current"], progress["longest"]) == (6, 6)


def test_i13_a_streak_that_repeats_is_reached_at_its_multiples_and_by_new_streaks() -> None:
    playing = Playing(milestones(milestone("m", streak("login"), 2, repeat=True, points=10)))

    # Four in a row, a gap, three in a row, a gap, one.
    assert on_days(playing, 0, 1, 2, 3, 5, 6, 7, 9) == [0, 10, 0, 10, 0, 10, 0, 0]
    progress = playing.player.counters["milestones"]["m"]
    assert (progress["current"], progress["longest"]) == (1, 4)


def test_a_streak_of_one_day_is_reached_on_each_day() -> None:
    playing = Playing(milestones(milestone("m", streak("login"), 1, repeat=True, points=10)))

    assert on_days(playing, 0, 0, 1, 5, 5) == [10, 0, 10, 10, 0]


def test_a_clock_that_goes_back_neither_breaks_a_streak_nor_lengthens_it() -> None:
    playing = Playing(milestones(milestone("m", streak("login"), 3, points=10)))

    assert on_days(playing, 1, 0, 2, 1, 3) == [0, 0, 0, 0, 10]


@pytest.mark.parametrize(
    ("period", "times", "expected"),
    [
        ("day", ["2025-03-29T23:30+01:00", "2025-03-30T23:30+02:00", "2025-03-31T00:30+02:00"], 3),
        ("day", ["2025-10-25T00:00+02:00", "2025-10-26T00:00+02:00", "2025-10-26T23:59+01:00"], 2),
        ("week", ["2024-12-29T12:00+01:00", "2024-12-30T00:00+01:00", "2025-01-13T00:00+01:00"], 1),
        ("week", ["2024-12-29T12:00+01:00", "2024-12-30T00:00+01:00", "2025-01-06T00:00+01:00"], 3),
        (
            "month",
            ["2024-11-30T12:00+01:00", "2024-12-01T00:00+01:00", "2025-01-31T12:00+01:00"],
            3,
        ),
        ("month", ["2024-01-31T12:00+01:00", "2025-01-31T12:00+01:00"], 1),
    ],
)
def test_streaks_go_by_the_campaigns_calendar(period: str, times: list[str], expected: int) -> None:
    playing = Playing(milestones(milestone("m", streak("login", period), 9)))
    for time in times:
        playing.now = at(time)
        playing.send("login")

    assert current(playing) == expected


# Points


def test_i13_a_milestone_on_points_counts_the_win_of_the_same_event() -> None:
    configuration = instant_win(tier("t", 1_000_000, points=100)).model_copy(
        update={"milestones": milestones(milestone("m", TOTAL, 100, points=7)).milestones}
    )
    playing = Playing(configuration)

    outcome = playing.send("play", draw=0)

    assert outcome.total_points == 107
    assert outcome.points_earned == 7
    assert [line.reason for line in outcome.lines] == ["instant_win", "milestone"]


def test_a_win_that_its_code_pays_does_not_count_yet() -> None:
    configuration = instant_win(tier("t", 1_000_000, points=100, credit="on_redeem")).model_copy(
        update={"milestones": milestones(milestone("m", TOTAL, 100, points=7)).milestones}
    )
    playing = Playing(configuration)

    assert playing.send("play", draw=0).total_points == 0
    assert "milestones" not in playing.player.counters or reached(playing) == 0


def test_i13_points_that_repeat_bring_a_badge_at_every_multiple_and_end() -> None:
    playing = Playing(
        milestones(
            milestone("badge", TOTAL, 100, repeat=True, badge="star"),
            milestone("bonus", event_count("buy"), 1, repeat=True, points=150),
            rules=(rule("r", "buy", 60),),
        )
    )

    outcome = playing.send("buy")

    assert outcome.total_points == 210
    assert [(each.id, each.times) for each in outcome.milestones] == [("badge", 2), ("bonus", 1)]
    assert playing.send("buy").total_points == 420
    assert reached(playing) == 4 + 2


def test_milestones_reach_one_another_in_a_long_chain() -> None:
    chain = [milestone(f"m{step}", TOTAL, 10 * (step + 1), points=10) for step in range(10)]
    playing = Playing(milestones(*reversed(chain), rules=(rule("r", "buy", 10),)))

    outcome = playing.send("buy")

    assert outcome.total_points == 110
    assert len(outcome.lines) == 11
    assert [line.balance_after for line in outcome.lines] == list(range(10, 111 + 1, 10))[:11]


# Rewards and changes


def test_extra_plays_are_granted_once_for_each_time() -> None:
    playing = Playing(
        milestones(milestone("m", metadata_sum("buy", "n"), 10, repeat=True, extraPlays=2))
    )

    playing.send("buy", {"n": 35})

    assert playing.player.counters["plays"]["extra"] == 6


def test_a_milestone_without_points_writes_an_award_and_no_line() -> None:
    playing = Playing(milestones(milestone("m", event_count("buy"), 1, badge="bronze")))

    outcome = playing.send("buy")

    assert outcome.lines == ()
    assert [(each.badge, each.points_earned) for each in outcome.milestones] == [("bronze", 0)]
    assert [award.badge for award in outcome.awards] == ["bronze"]


def test_a_milestone_that_measures_something_else_starts_over_and_gives_nothing_twice() -> None:
    playing = Playing(milestones(milestone("m", event_count("buy"), 1, points=10)))
    playing.send("buy")
    playing.configuration = milestones(milestone("m", event_count("look"), 2, points=10))

    assert [playing.earns("look") for _ in range(3)] == [0, 0, 0]
    assert current(playing) == 3


def test_of_milestones_that_are_gone_only_the_newest_are_remembered() -> None:
    playing = Playing(milestones())
    for number in range(MOST_RETIRED + 20):
        playing.configuration = milestones(milestone(f"m{number}", event_count("buy"), 1))
        playing.send("buy")

    assert len(playing.player.counters["milestones"]) == MOST_RETIRED + 1


def test_a_milestone_on_values_that_comes_back_counts_them_anew_and_gives_nothing_twice() -> None:
    made = milestones(milestone("m", distinct_values("buy", "shop"), 2, repeat=True, points=10))
    playing = Playing(made)
    assert [playing.earns("buy", {"shop": shop}) for shop in "abcd"] == [0, 10, 0, 10]
    playing.configuration = milestones()
    playing.send("buy", {"shop": "e"})
    assert "values" not in playing.player.counters["milestones"]["m"]
    playing.configuration = made

    earned = [playing.earns("buy", {"shop": shop}) for shop in "abcdef"]

    assert earned == [0, 0, 0, 0, 0, 10]


@given(
    amounts=st.lists(st.decimals(0, 300, places=2), max_size=40),
    threshold=st.decimals(Decimal("0.5"), 200, places=2),
    repeat=st.booleans(),
)
def test_i13_a_milestone_is_reached_as_often_as_its_threshold_fits(
    amounts: list[Decimal], threshold: Decimal, repeat: bool
) -> None:
    playing = Playing(
        milestones(
            milestone("m", metadata_sum("buy", "amount"), threshold, repeat=repeat, points=3)
        )
    )
    for amount in amounts:
        playing.send("buy", {"amount": amount})

    fits = int(sum(amounts) // threshold)
    assert reached(playing) == (fits if repeat else min(fits, 1))
    assert playing.player.total_points == 3 * reached(playing)
