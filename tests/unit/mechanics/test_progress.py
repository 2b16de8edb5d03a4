from __future__ import annotations

from decimal import Decimal
from typing import Any

from grapevine.engine.mechanics.configuration import parse
from grapevine.engine.mechanics.progress import progress_of
from tests.unit.mechanics.samples import (
    DAY,
    Playing,
    distinct_values,
    event_count,
    metadata_sum,
    milestone,
    milestones,
    rule,
    streak,
    summer_promo,
)


def shown(playing: Playing) -> dict[str, tuple[Any, ...]]:
    return {
        each.milestone.id: (each.current, each.threshold, each.percent, each.reached_count)
        for each in progress_of(playing.configuration, playing.player, playing.now)
    }


def test_a_player_who_has_just_begun_has_come_no_way() -> None:
    playing = Playing(parse(summer_promo()))

    assert shown(playing) == {
        "club-1000": (0, 1000, 0, 0),
        "orders-5": (0, 5, 0, 0),
        "spend-500": (0, 500, 0, 0),
        "streak-7": (0, 7, 0, 0),
    }


def test_each_metric_shows_how_far_it_is() -> None:
    playing = Playing(
        milestones(
            milestone("points", {"type": "points_total"}, 1000),
            milestone("orders", event_count("buy"), 2),
            milestone("every", event_count("buy"), 2, repeat=True),
            milestone("spent", metadata_sum("buy", "amount"), Decimal("99.50")),
            milestone("kinds", distinct_values("buy", "kind"), 4),
            rules=(rule("r", "buy", 250),),
        )
    )
    for kind in ("a", "b", "a"):
        playing.send("buy", {"amount": Decimal("10.25"), "kind": kind})

    assert shown(playing) == {
        "points": (750, 1000, 75, 0),
        "orders": (3, 2, 100, 1),
        "every": (3, 2, 50, 1),
        "spent": (Decimal("30.75"), Decimal("99.5"), 30, 0),
        "kinds": (2, 4, 50, 0),
    }


def test_a_streak_lives_through_the_next_day_and_is_over_after_it() -> None:
    playing = Playing(milestones(milestone("days", streak("login"), 7)))
    for _ in range(3):
        playing.send("login")
        playing.now += DAY

    assert shown(playing)["days"] == (3, 7, 42, 0)
    playing.now += DAY
    assert shown(playing)["days"] == (0, 7, 0, 0)
    assert progress_of(playing.configuration, playing.player, playing.now)[0].longest == 3


def test_what_is_shown_changes_nothing() -> None:
    playing = Playing(parse(summer_promo()))
    playing.send("purchase", {"amount": 10})
    before = dict(playing.player.counters["milestones"])

    progress_of(playing.configuration, playing.player, playing.now)

    assert playing.player.counters["milestones"] == before
