from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from grapevine.engine.mechanics.configuration import from_text, parse, shown, to_text
from grapevine.engine.mechanics.validating import MOST_MOMENTS, problems
from grapevine.errors import InvalidRequest, UnknownEventType
from tests.unit.mechanics.samples import (
    Playing,
    at,
    distinct_values,
    event_count,
    metadata_sum,
    milestone,
    rule,
    summer_promo,
    tier,
)

TOTAL = {"type": "points_total"}

Edit = Callable[[dict[str, Any]], object]


def edited(edit: Edit) -> dict[str, Any]:
    body = summer_promo()
    edit(body)
    return body


def found(body: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    """The fields and codes of what is wrong."""
    try:
        configuration = parse(body)
    except InvalidRequest as refused:
        return [(each.field, each.code) for each in refused.problems]
    return [(each.field, each.code) for each in problems(configuration, **more)]


def test_the_example_is_right_and_shown_as_it_was_sent() -> None:
    configuration = parse(summer_promo())

    again = shown(configuration)

    assert found(summer_promo()) == []
    assert parse(again) == configuration
    assert again["startsAt"] == "2025-06-01T00:00:00Z"
    assert again["points"]["multipliers"][0]["factor"] == "2"
    assert again["instantWin"]["tiers"][0]["oddsPpm"] == 10_000
    assert again["milestones"][0]["threshold"] == 1000


def test_what_get_shows_put_takes() -> None:
    body = {**summer_promo(), "drawCommitment": "sha256:00", "drawSecret": None}
    body["instantWin"]["drawSecret"] = "ab"

    assert parse(body) == parse(summer_promo())


def test_it_is_stored_as_text_without_losing_a_digit() -> None:
    def edit(body: dict[str, Any]) -> None:
        body["milestones"][2]["threshold"] = Decimal("500.10")
        body["points"]["rules"][1]["when"][0]["value"] = Decimal("9.99")
        body["points"]["multipliers"][0]["factor"] = "1.250"

    configuration = parse(edited(edit))

    text = to_text(configuration)

    assert from_text(text) == configuration
    assert json.loads(text)["points"]["multipliers"][0]["factor"] == "1.250"
    assert '"threshold":500.10' in text


def test_nothing_configured_is_a_campaign_without_points() -> None:
    configuration = parse({})

    outcome = Playing(configuration).send("purchase")

    assert problems(configuration) == []
    assert (outcome.points_earned, outcome.total_points) == (0, 0)
    assert not outcome.has_instant_win
    assert configuration.takes_events_at(0)


def set_in(path: str, value: Any) -> Edit:
    """Replaces what is at a path like `points.rules.0.id`."""

    def edit(body: dict[str, Any]) -> None:
        *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        part: Any = body
        for step in way:
            part = part[step]
        part[last] = value

    return edit


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("color", "red"),
        ("points.rules.0.colour", "red"),
        ("points.rules.0.event_type", "signup"),
        ("timezone", "Europe/Nowhere"),
        ("timezone", "../../etc/passwd"),
        ("timezone", "/etc/localtime"),
        ("timezone", "Europe"),
        ("timezone", ""),
        ("timezone", "Europe/Berlin\x00"),
        ("timezone", "localtime"),
        ("timezone", "right/Europe/Berlin"),
        ("timezone", "posix/Europe/Berlin"),
        ("timezone", "Factory"),
        ("startsAt", "2025-06-01"),
        ("startsAt", "2025-06-01T00:00:00"),
        ("startsAt", 1748736000000),
        ("startsAt", "soon"),
        ("startsAt", "1969-12-31T23:59:59Z"),
        ("endsAt", "9999-12-31T23:59:59-01:00"),
        ("startsAt", "1970-01-01T00:00:00+01:00"),
        ("leaderboard", {"excludeUsers": ["   "]}),
        ("sources", ["facebook"]),
        ("unknownEventTypes", "ignore"),
        ("dedupe.0.by", "orderId"),
        ("dedupe.0.by", "metadata."),
        ("points.stacking", "sum"),
        ("points.rounding", "down"),
        ("points.capPerUser.day", -1),
        ("points.capPerUser.week", 5),
        ("points.rules.0.id", "a b"),
        ("points.rules.0.id", "a#b"),
        ("points.rules.0.id", ""),
        ("points.rules.0.id", "a\n"),
        ("points.rules.0.eventType", ""),
        ("points.rules.0.eventType", " "),
        ("points.rules.0.eventType", "a" * 101),
        ("points.rules.0.eventType", "a\x00"),
        ("points.rules.0.award", {"type": "random"}),
        ("points.rules.0.award.points", -1),
        ("points.rules.0.award.points", 10**9 + 1),
        ("points.rules.0.award.points", Decimal("1.5")),
        ("points.rules.0.award.points", "50"),
        ("points.rules.0.award.points", True),
        ("points.rules.0.award.points", None),
        ("points.rules.0.award.points", Decimal("NaN")),
        ("points.rules.0.award.points", Decimal("1E+1000000")),
        ("points.rules.0.award", {"type": "per_unit", "field": "a", "unit": 1, "points": 1}),
        ("points.rules.0.award", {"type": "from_field", "field": "a"}),
        (
            "points.rules.0.award",
            {"type": "per_unit", "field": "a", "unit": 0, "points": 1, "max": 5},
        ),
        ("points.rules.0.limits.perUser.total", 0),
        ("points.rules.0.limits.perUser.year", 1),
        ("points.rules.0.limits.cooldownSeconds", -1),
        ("points.rules.0.requireTrust", "nobody"),
        ("points.multipliers.0.factor", 2),
        ("points.multipliers.0.factor", "0"),
        ("points.multipliers.0.factor", "-1"),
        ("points.multipliers.0.factor", "1e3"),
        ("points.multipliers.0.factor", "NaN"),
        ("points.multipliers.0.eventTypes", []),
        ("milestones.0.metric", {"type": "level"}),
        ("milestones.0.threshold", 0),
        ("milestones.0.threshold", "1000"),
        ("milestones.0.reward.points", -1),
        ("milestones.3.metric.period", "year"),
        ("instantWin.eventTypes", []),
        ("instantWin.mode", "deck"),
        ("instantWin.onPlayLimit", "ignore"),
        ("instantWin.onSoldOut", "refill"),
        ("instantWin.tiers.0.oddsPpm", 1_000_001),
        ("instantWin.tiers.0.oddsPpm", -1),
        ("instantWin.tiers.0.oddsPpm", Decimal("0.5")),
        ("instantWin.tiers.0.inventory", -1),
        ("instantWin.tiers.0.perDay", 0),
        ("instantWin.tiers.0.credit", "later"),
        ("instantWin.tiers.0.points", 10**9 + 1),
        ("instantWin.winCode.length", 5),
        ("instantWin.winCode.alphabet", "AABCDEFGHIJ"),
        ("instantWin.winCode.alphabet", "abcdefghijk"),
        ("instantWin.winCode.alphabet", "ABC"),
        ("instantWin.winCode.alphabet", "ABCDEFGHIÄ"),
        ("instantWin.winCode.expiresInDays", 0),
        ("leaderboard.excludeUsers", [""]),
        ("leaderboard.excludeUsers", ["staff_1", " \u2003"]),
        ("leaderboard.excludeUsers", ["a" * 101]),
    ],
)
def test_a_member_that_is_wrong_is_refused_by_its_name(path: str, value: Any) -> None:
    wrong = found(edited(set_in(path, value)))

    # A union names its kind in the path: points.rules.0.award.fixed.points.
    last = path.rpartition(".")[2]
    assert wrong
    assert all(
        last in field or path.startswith(field) or field.startswith(path) for field, _ in wrong
    )


def test_whole_numbers_may_be_written_with_a_point() -> None:
    assert found(edited(set_in("points.rules.0.award.points", Decimal("50.0")))) == []


@pytest.mark.parametrize("body", [{"points": []}, {"points": {"rules": {}}}, {"instantWin": "on"}])
def test_a_part_of_another_form_is_refused(body: dict[str, Any]) -> None:
    assert found(body)


# More than one member


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (set_in("endsAt", "2025-06-01T00:00:00Z"), ("endsAt", "order")),
        (set_in("endsAt", "2025-05-31T00:00:00Z"), ("endsAt", "order")),
        (set_in("sources", ["referd", "referd"]), ("sources", "not_unique")),
        (set_in("dedupe.1.eventType", "purchase"), ("dedupe", "not_unique")),
        (set_in("points.rules.1.id", "signup"), ("points.rules", "not_unique")),
        (set_in("milestones.1.id", "club-1000"), ("milestones", "not_unique")),
        (set_in("instantWin.tiers.1.id", "gold"), ("instantWin.tiers", "not_unique")),
        (
            set_in("instantWin.eventTypes", ["purchase", "purchase"]),
            ("instantWin.eventTypes", "not_unique"),
        ),
        (
            set_in("points.multipliers", [{"id": "m", "factor": "2"}, {"id": "m", "factor": "3"}]),
            ("points.multipliers", "not_unique"),
        ),
        (
            set_in("points.multipliers.0.to", "2025-05-31T23:59:59Z"),
            ("points.multipliers.0.to", "order"),
        ),
        (set_in("instantWin.tiers.0.oddsPpm", 950_001), ("instantWin.tiers", "odds")),
        (
            set_in(
                "milestones.0", milestone("m", {"type": "points_total"}, 9, repeat=True, points=1)
            ),
            ("milestones.0.reward.points", "endless"),
        ),
        (
            set_in("milestones.0", milestone("m", TOTAL, 9, requireTrust="server")),
            ("milestones.0.requireTrust", "no_trust"),
        ),
        (
            set_in("milestones.0", milestone("m", event_count("buy"), Decimal("1.5"))),
            ("milestones.0.threshold", "whole_number"),
        ),
        (
            set_in("milestones.0", milestone("m", distinct_values("buy", "x"), 501)),
            ("milestones.0.threshold", "too_large"),
        ),
        (
            set_in("points.rules", [rule(f"r{each}", "buy", 1) for each in range(11)]),
            ("points.rules", "too_many"),
        ),
        (
            set_in("milestones", [milestone(f"m{n}", event_count("buy"), 1) for n in range(11)]),
            ("milestones", "too_long"),
        ),
        (set_in("instantWin.windowMinutes", 5), ("instantWin.windowMinutes", "mode")),
    ],
)
def test_what_does_not_go_together_is_refused(edit: Edit, expected: tuple[str, str]) -> None:
    assert found(edited(edit)) == [expected]


@pytest.mark.parametrize(
    "edit",
    [
        set_in("instantWin.tiers.0.oddsPpm", 950_000),
        set_in("points.rules", [rule(f"r{n}", f"type{n // 10}", 1) for n in range(100)]),
        set_in("milestones", [milestone(f"m{n}", event_count("buy"), 1) for n in range(10)]),
        set_in("milestones.0", milestone("m", TOTAL, 9, repeat=True, badge="b")),
        set_in("milestones.0", milestone("m", metadata_sum("buy", "x"), Decimal("1.5"))),
        set_in("milestones.0", milestone("m", distinct_values("buy", "x"), 500)),
        set_in("points.rules.0.award.points", 10**9),
    ],
)
def test_what_just_goes_together_is_taken(edit: Edit) -> None:
    assert found(edited(edit)) == []


def moments(**more: Any) -> Edit:
    def edit(body: dict[str, Any]) -> None:
        body["instantWin"].update({"mode": "moments", "tiers": [tier("a", inventory=5)]})
        body["instantWin"].update(more)

    return edit


def test_moments_need_a_span_of_time_and_a_number_of_prizes() -> None:
    no_end = edited(moments())
    del no_end["endsAt"]

    assert found(edited(moments(windowMinutes=5))) == []
    assert found(no_end) == [("instantWin.mode", "mode")]
    for wrong, field in [
        (tier("a"), "inventory"),
        (tier("a", inventory=MOST_MOMENTS + 1), "inventory"),
    ]:
        assert found(edited(moments(tiers=[wrong]))) == [(f"instantWin.tiers.0.{field}", "mode")]
    for wrong in (tier("a", 5, inventory=5), tier("a", inventory=5, perDay=1)):
        assert found(edited(moments(tiers=[wrong]))) == [("instantWin.tiers.0", "mode")]


# Changes


def test_prizes_that_are_won_cannot_be_taken_back() -> None:
    awarded = {"gold": 4, "silver": 200, "gone": 9}

    assert found(edited(set_in("instantWin.tiers.0.inventory", 4)), awarded=awarded) == []
    assert found(edited(set_in("instantWin.tiers.0.inventory", None)), awarded=awarded) == []
    assert found(edited(set_in("instantWin.tiers.0.inventory", 3)), awarded=awarded) == [
        ("instantWin.tiers.0.inventory", "awarded")
    ]


@pytest.mark.parametrize(
    ("path", "value", "name"),
    [
        ("milestones.0.threshold", 999, "threshold"),
        ("milestones.1.repeat", False, "repeat"),
        ("milestones.1.metric", event_count("order"), "metric"),
        ("milestones.3.metric.period", "week", "metric"),
    ],
)
def test_what_a_milestone_asks_for_is_frozen_once_there_are_players(
    path: str, value: Any, name: str
) -> None:
    before = parse(summer_promo())
    after = edited(set_in(path, value))
    place = path.split(".")[1]

    assert found(after, before=before, has_players=False) == []
    assert found(after, before=before, has_players=True) == [
        (f"milestones.{place}.{name}", "frozen")
    ]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("milestones.0.reward.points", 5),
        ("milestones.0.name", "The club"),
        ("milestones.0.threshold", Decimal("1000.0")),
        ("milestones", []),
        ("milestones.0.id", "club-2000"),
        ("instantWin.tiers.0.oddsPpm", 20_000),
        ("instantWin.tiers.0.points", 5),
        ("points.rules.0.award.points", 5),
        ("timezone", "UTC"),
    ],
)
def test_what_concerns_later_events_only_may_change_at_any_time(path: str, value: Any) -> None:
    before = parse(summer_promo())

    assert found(edited(set_in(path, value)), before=before, has_players=True) == []


# Which events a campaign takes


@pytest.mark.parametrize(
    ("time", "taken"),
    [
        ("2025-05-31T23:59:59.999+00:00", False),
        ("2025-06-01T00:00:00+00:00", True),
        ("2025-08-31T23:59:59+00:00", True),
        ("2025-08-31T23:59:59.001+00:00", False),
    ],
)
def test_a_campaign_takes_events_from_its_start_to_its_end(time: str, taken: bool) -> None:
    assert parse(summer_promo()).takes_events_at(at(time)) is taken


def test_an_unknown_event_is_recorded_or_refused_as_configured() -> None:
    strict = parse(edited(set_in("unknownEventTypes", "reject")))

    assert Playing(parse(summer_promo())).send("review").points_earned == 0
    with pytest.raises(UnknownEventType):
        Playing(strict).send("review")
    assert [Playing(strict).earns(each) for each in ("signup", "daily_login")] == [50, 5]
