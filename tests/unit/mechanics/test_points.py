from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from grapevine.engine.mechanics.counters import MOST_RETIRED
from grapevine.engine.mechanics.fields import MOST_POINTS
from tests.unit.mechanics.samples import DAY, NOON, Playing, instant_win, points, rule


def per_unit(unit: Any, each: Any, most: int = 10**9) -> dict[str, Any]:
    return {"type": "per_unit", "field": "amount", "unit": unit, "points": each, "max": most}


FROM_FIELD = {"type": "from_field", "field": "amount", "max": 500}


@pytest.mark.parametrize(
    ("award", "amount", "expected"),
    [
        ({"type": "fixed", "points": 7}, None, 7),
        ({"type": "fixed", "points": 0}, None, 0),
        (per_unit(1, 2), Decimal("49.99"), 99),
        (per_unit(Decimal("0.1"), 1), Decimal("0.3"), 3),
        (per_unit(10, Decimal("0.5")), 100, 5),
        (per_unit(3, 1), 10, 3),
        (per_unit(1, 2), "49.99", 99),
        (per_unit(1, 2), [10, "20", "x"], 60),
        (per_unit(1, 2, most=50), 1000, 50),
        (per_unit(1, 2), 0, 0),
        (per_unit(1, 2), -5, 0),
        (per_unit(1, 2), "many", 0),
        (per_unit(1, 2), None, 0),
        (per_unit(1, 1), Decimal("0.99"), 0),
        (FROM_FIELD, 120, 120),
        (FROM_FIELD, "120.9", 120),
        (FROM_FIELD, 501, 500),
        (FROM_FIELD, -1, 0),
        (FROM_FIELD, [100, 200], 300),
        (FROM_FIELD, True, 0),
    ],
)
def test_each_award_gives_what_it_says(award: dict[str, Any], amount: Any, expected: int) -> None:
    playing = Playing(points(rule("r", "buy", award)))
    metadata = {} if amount is None else {"amount": amount}

    assert playing.earns("buy", metadata) == expected


def test_an_event_of_another_type_earns_nothing_and_is_counted() -> None:
    playing = Playing(points(rule("r", "buy", 7)))

    outcome = playing.send("Buy")

    assert outcome.points_earned == 0
    assert outcome.lines == ()
    assert playing.player.events_count == 1
    assert outcome.event.event_type == "Buy"


# Stacking

THREE = (rule("small", "buy", 1), rule("great", "buy", 5), rule("great-too", "buy", 5))


@pytest.mark.parametrize(
    ("stacking", "expected"),
    [
        ("all", [("rule:small", 1), ("rule:great", 5), ("rule:great-too", 5)]),
        ("max", [("rule:great", 5)]),
        ("first", [("rule:small", 1)]),
    ],
)
def test_rules_for_one_event_stack_as_configured(
    stacking: str, expected: list[tuple[str, int]]
) -> None:
    playing = Playing(points(*THREE, stacking=stacking))

    playing.send("buy")

    assert playing.ledger == expected


def test_a_rule_that_was_not_taken_has_used_nothing_of_its_limit() -> None:
    rules = (rule("great", "buy", 5, perUser={"total": 1}), rule("small", "buy", 1))
    playing = Playing(points(*rules, stacking="max"))

    assert [playing.earns("buy") for _ in range(3)] == [5, 1, 1]


def test_the_first_rule_is_the_first_that_gives_something() -> None:
    rules = (
        rule("none", "buy", 0),
        rule("once", "buy", 5, perUser={"total": 1}),
        rule("ever", "buy", 1),
    )
    playing = Playing(points(*rules, stacking="first"))

    assert [playing.earns("buy") for _ in range(3)] == [5, 1, 1]


# Multipliers and rounding


def multiplier(name: str, factor: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "factor": factor, **more}


@pytest.mark.parametrize(
    ("rounding", "points_of_each", "factors", "expected"),
    [
        ("floor", 3, ["1.5"], 4),
        ("nearest", 3, ["1.5"], 5),
        ("nearest", 3, ["1.1"], 3),
        ("ceil", 3, ["1.1"], 4),
        ("floor", 1, ["2", "1.5", "3"], 9),
        ("floor", 10, ["0.1", "0.1"], 0),
        ("floor", 100, ["1.1", "1.1"], 121),
        ("ceil", 0, ["5"], 0),
    ],
)
def test_multipliers_multiply_and_rounding_comes_once_after_them(
    rounding: str, points_of_each: int, factors: list[str], expected: int
) -> None:
    on = [multiplier(f"m{place}", factor) for place, factor in enumerate(factors)]
    playing = Playing(points(rule("r", "buy", points_of_each), multipliers=on, rounding=rounding))

    assert playing.earns("buy") == expected


def test_rounding_comes_after_the_multiplier_not_before() -> None:
    playing = Playing(
        points(rule("r", "buy", per_unit(1, 1)), multipliers=[multiplier("twice", "2")])
    )

    assert playing.earns("buy", {"amount": Decimal("0.75")}) == 1


@pytest.mark.parametrize(("offset", "expected"), [(-1, 1), (0, 2), (500, 2), (1000, 2), (1001, 1)])
def test_a_multiplier_is_on_from_its_first_to_its_last_millisecond(
    offset: int, expected: int
) -> None:
    on = multiplier("m", "2", **{"from": "2025-07-15T12:00:00+02:00", "to": "2025-07-15T10:00:01Z"})
    playing = Playing(points(rule("r", "buy", 1), multipliers=[on]), now=NOON + offset)

    assert playing.earns("buy") == expected


def test_no_award_gives_more_than_the_greatest_number_of_points() -> None:
    many = [multiplier(f"m{place}", "999999.999999") for place in range(50)]
    playing = Playing(points(rule("r", "buy", MOST_POINTS), multipliers=many))

    assert playing.earns("buy") == MOST_POINTS


# Trust


def test_a_rule_that_wants_the_server_gives_a_client_nothing() -> None:
    playing = Playing(points(rule("safe", "buy", 5, requireTrust="server"), rule("any", "buy", 1)))

    assert playing.send("buy", trust="client").points_earned == 1
    assert playing.send("buy", trust="server").points_earned == 6


# Limits and cooldowns


def test_a_rule_awards_as_often_as_its_limit_says_in_all() -> None:
    playing = Playing(points(rule("r", "buy", 5, perUser={"total": 2})))

    assert [playing.earns("buy") for _ in range(4)] == [5, 5, 0, 0]


def test_an_award_that_the_conditions_refuse_is_not_counted() -> None:
    once = rule(
        "r",
        "buy",
        5,
        perUser={"total": 1},
        when=[{"field": "amount", "op": "gte", "value": 10}],
    )
    playing = Playing(points(once))

    assert [playing.earns("buy", {"amount": amount}) for amount in (1, 10, 10)] == [0, 5, 0]


def test_a_cooldown_ends_after_its_seconds() -> None:
    playing = Playing(points(rule("r", "buy", 5, cooldownSeconds=60)))
    playing.send("buy")
    earned = []
    for moment in (NOON + 59_999, NOON + 60_000, NOON + 119_999, NOON + 120_000):
        playing.now = moment
        earned.append(playing.earns("buy"))

    assert earned == [0, 5, 0, 5]


def test_limits_are_those_of_each_rule() -> None:
    playing = Playing(
        points(
            rule("one", "buy", 5, perUser={"total": 1}), rule("two", "buy", 3, perUser={"total": 2})
        )
    )

    assert [playing.earns("buy") for _ in range(3)] == [8, 3, 0]


# The cap on points


def test_what_is_left_of_the_cap_is_given_and_then_nothing() -> None:
    playing = Playing(points(rule("r", "buy", 40), rule("s", "buy", 30), capPerUser={"total": 100}))

    assert [playing.earns("buy") for _ in range(3)] == [70, 30, 0]
    assert playing.ledger == [("rule:r", 40), ("rule:s", 30), ("rule:r", 30)]


def test_an_award_of_which_the_cap_leaves_nothing_uses_no_limit() -> None:
    playing = Playing(points(rule("r", "buy", 40, perUser={"total": 2}), capPerUser={"day": 40}))
    earned = [playing.earns("buy"), playing.earns("buy")]
    playing.now += DAY
    earned.append(playing.earns("buy"))

    assert earned == [40, 0, 40]


def test_a_cap_of_nothing_gives_nothing() -> None:
    playing = Playing(points(rule("r", "buy", 40), capPerUser={"total": 0}))

    assert playing.earns("buy") == 0
    assert playing.player.counters == {}


def test_a_rule_that_comes_back_has_not_forgotten_that_it_awarded() -> None:
    once = points(rule("r", "buy", 5, perUser={"total": 1}))
    playing = Playing(once)
    playing.send("buy")
    playing.configuration = points(rule("other", "buy", 1))
    playing.send("buy")
    playing.configuration = once

    assert playing.earns("buy") == 0


def test_of_rules_that_are_gone_only_the_newest_are_remembered() -> None:
    playing = Playing(points())
    for number in range(MOST_RETIRED + 20):
        playing.configuration = points(rule(f"r{number}", "buy", 1))
        playing.send("buy")

    kept = list(playing.player.counters["rules"])

    assert kept == [f"r{number}" for number in range(19, MOST_RETIRED + 20)]


def test_wins_do_not_count_towards_the_cap() -> None:
    configuration = instant_win({"id": "t", "name": "T", "oddsPpm": 1_000_000, "points": 500})
    capped = configuration.model_copy(
        update={"points": points(rule("r", "play", 10), capPerUser={"total": 15}).points}
    )
    playing = Playing(capped)

    assert [playing.send("play", draw=0).total_points for _ in range(3)] == [510, 1015, 1515]


def test_the_time_at_which_a_total_was_reached_is_kept_until_it_changes() -> None:
    playing = Playing(points(rule("r", "buy", 1)))

    first = playing.send("buy").event.at
    playing.send("look")
    assert playing.player.reached_at == first
    second = playing.send("buy").event.at

    assert playing.player.reached_at == second
    assert playing.player.joined_at == first
    assert playing.player.version == 3
