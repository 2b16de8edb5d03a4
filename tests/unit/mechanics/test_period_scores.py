"""What an event adds to the boards of periods, and what taking it back leaves of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from grapevine.engine.mechanics.configuration import Configuration, parse
from grapevine.engine.mechanics.counters import PERIODS
from grapevine.engine.mechanics.outcomes import Outcome
from grapevine.engine.mechanics.period_scores import PeriodScore, score_of, without_points
from grapevine.engine.mechanics.periods import periods_at
from grapevine.engine.mechanics.validating import problems
from grapevine.table.points_board import Period
from tests.unit.mechanics.samples import DAY, HOUR, NOON, Playing, at, milestone, rule, tier

BERLIN = "Europe/Berlin"


def keeping(*periods: str, **more: Any) -> Configuration:
    """Ten points for each `buy`, none for another event."""
    return parse(
        {
            "timezone": BERLIN,
            "points": {"rules": [rule("r", "buy", 10)]},
            "leaderboard": {"periods": list(periods)},
            **more,
        }
    )


def score(playing: Playing, period: Period) -> PeriodScore:
    found = score_of(playing.player.counters, period)
    assert found is not None
    return found


def number(time: int, period: Period) -> int:
    return periods_at(time, BERLIN).number(period)


def taken_back(playing: Playing, outcome: Outcome, now: int) -> None:
    """As `reversing.py` takes an event back."""
    points = outcome.event.points_earned + outcome.event.win_points
    counters = without_points(
        playing.player.counters, outcome.event.counted_in, periods_at(now, BERLIN), points, now
    )
    playing.player = replace(playing.player, counters=counters)


def test_nothing_is_counted_where_no_board_is_kept() -> None:
    playing = Playing(keeping())

    outcome = playing.send("buy")

    assert "boards" not in playing.player.counters
    assert outcome.event.counted_in == {}


def test_a_period_counts_all_that_an_event_brings() -> None:
    bonus = milestone("first", {"type": "points_total"}, 1, points=100)
    lucky = {"eventTypes": ["buy"], "tiers": [tier("gold", 10_000, points=500)]}
    playing = Playing(keeping("week", milestones=[bonus], instantWin=lucky))

    outcome = playing.send("buy", draw=0)

    assert sum(line.points for line in outcome.lines) == 610
    assert score(playing, "week") == PeriodScore(number(NOON, "week"), 610, NOON, 1)


def test_an_event_without_points_puts_on_the_board_and_moves_nobody() -> None:
    playing = Playing(keeping("day"))

    playing.send("other")
    first = score(playing, "day")
    playing.send("buy")
    playing.send("other")

    assert first == PeriodScore(number(NOON, "day"), 0, NOON, 1)
    assert score(playing, "day") == PeriodScore(number(NOON, "day"), 10, NOON + 1000, 3)


def test_each_kind_begins_anew_at_its_own_boundary() -> None:
    playing = Playing(keeping("day", "week", "month"), now=at("2026-10-25T23:59:58+01:00"))
    counted = []
    for time in (
        "2026-10-25T23:59:58+01:00",  # Sunday, the day of 25 hours
        "2026-10-26T00:00:00+01:00",
        "2026-10-31T23:59:59.999+01:00",
        "2026-11-01T00:00:00+01:00",
        "2026-11-02T00:00:00+01:00",
    ):
        playing.now = at(time)
        playing.send("buy")
        counted.append([score(playing, period).points for period in PERIODS])

    assert counted == [[10, 10, 10], [10, 10, 20], [10, 20, 30], [10, 30, 10], [10, 10, 20]]


def test_a_board_that_is_kept_later_counts_from_then_on() -> None:
    playing = Playing(keeping())
    playing.send("buy")
    playing.configuration = keeping("week")
    second = playing.send("buy")
    playing.configuration = keeping()
    third = playing.send("buy")

    assert playing.player.total_points == 30
    assert score(playing, "week").points == 10
    assert second.event.counted_in == {"week": number(NOON, "week")}
    assert third.event.counted_in == {}


def test_what_is_taken_back_in_its_period_is_taken_from_it() -> None:
    playing = Playing(keeping("day", "week"))
    first = playing.send("buy")
    playing.now = later = NOON + DAY
    playing.send("buy")

    taken_back(playing, first, later + HOUR)

    assert score(playing, "day") == PeriodScore(number(later, "day"), 10, later, 1)
    assert score(playing, "week") == PeriodScore(number(NOON, "week"), 10, later + HOUR, 2)


def test_a_period_that_is_over_stays_as_it_ended() -> None:
    playing = Playing(keeping("day", "week"))
    outcome = playing.send("buy")
    ended = [score(playing, "day"), score(playing, "week")]

    taken_back(playing, outcome, NOON + 7 * DAY)

    assert [score(playing, "day"), score(playing, "week")] == ended


def test_what_was_never_counted_is_not_taken() -> None:
    playing = Playing(keeping())
    before = playing.send("buy")
    playing.configuration = keeping("week")
    playing.send("buy")
    counted = score(playing, "week")

    taken_back(playing, before, playing.now)

    assert score(playing, "week") == counted


def test_taking_back_what_gave_nothing_changes_nothing() -> None:
    playing = Playing(keeping("week"))
    nothing = playing.send("other")
    counted = score(playing, "week")

    taken_back(playing, nothing, playing.now)

    assert score(playing, "week") == counted


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "other", "back"]),
        st.sampled_from([1, HOUR, 20 * HOUR, 9 * DAY]),
        st.sets(st.sampled_from(PERIODS)),
        st.integers(0, 10**6),
    ),
    max_size=40,
)


@given(events=EVENTS)
def test_a_period_has_the_sum_of_what_was_counted_in_it_and_is_never_below_zero(
    events: list[tuple[str, int, set[Period], int]],
) -> None:
    """Against a model: each event that was counted, with its period and whether it was taken back
    in it."""
    playing = Playing(keeping(), now=at("2026-10-20T00:00:00+02:00"))
    given_in: dict[tuple[str, int], list[int]] = {}
    last: dict[str, int] = {}
    open_events: list[Outcome] = []
    for kind, pause, kept, pick in events:
        playing.now += pause
        now = playing.now
        if kind == "back":
            if not open_events:
                continue
            outcome = open_events.pop(pick % len(open_events))
            taken_back(playing, outcome, now)
            for period, of in outcome.event.counted_in.items():
                if of == periods_at(now, BERLIN).number(period):  # type: ignore[arg-type]
                    given_in[period, of].append(-outcome.points_earned)
        else:
            playing.configuration = keeping(*kept)
            open_events.append(playing.send(kind))
            for period in kept:
                last[period] = number(now, period)
                earned = open_events[-1].points_earned
                given_in.setdefault((period, last[period]), []).append(earned)
        for period in PERIODS:
            found = score_of(playing.player.counters, period)
            if period not in last:
                assert found is None
                continue
            assert found is not None
            assert found.number == last[period]
            assert found.points == sum(given_in[period, found.number]) >= 0


def test_a_kind_of_period_is_named_once() -> None:
    configuration = keeping("week", "day", "week")

    assert [(each.field, each.code) for each in problems(configuration)] == [
        ("leaderboard.periods", "not_unique")
    ]
