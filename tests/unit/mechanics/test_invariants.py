"""What holds for every configuration and every sequence of events."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from grapevine.engine.mechanics.configuration import Configuration, from_text, parse, to_text
from grapevine.engine.mechanics.evaluating import Outcome
from grapevine.engine.mechanics.natural_keys import natural_key
from grapevine.engine.mechanics.parts import PointsTotal, Streak
from grapevine.engine.mechanics.validating import problems
from grapevine.errors import PlayLimitReached
from grapevine.table.attributes import marshal, unmarshal
from grapevine.table.players import Player
from tests.unit.mechanics.samples import (
    DAY,
    HOUR,
    Playing,
    at,
    distinct_values,
    event_count,
    metadata_sum,
    milestone,
    rule,
    streak,
    tier,
)

START = at("2025-10-24T10:00:00+00:00")
EVENT_TYPES = st.sampled_from(["buy", "login", "look"])
MOSTLY_NONE = st.one_of(st.none(), st.none(), st.integers(1, 5))
SMALL = st.integers(0, 60)


def amounts_of(draw: st.DrawFn) -> dict[str, Any]:
    each = draw(st.decimals(Decimal("0.5"), 5, places=1))
    return draw(
        st.sampled_from(
            [
                {"type": "fixed", "points": draw(SMALL)},
                {"type": "per_unit", "field": "amount", "unit": 1, "points": each, "max": 50},
                {"type": "from_field", "field": "amount", "max": 40},
            ]
        )
    )


@st.composite
def rules(draw: st.DrawFn, place: int) -> dict[str, Any]:
    periods = ("total", "day", "week", "month")
    return rule(
        f"r{place}",
        draw(EVENT_TYPES),
        amounts_of(draw),
        perUser={period: draw(MOSTLY_NONE) for period in periods},
        cooldownSeconds=draw(st.sampled_from([0, 0, 3600, 100_000])),
        when=draw(st.sampled_from([[], [{"field": "amount", "op": "gte", "value": 10}]])),
        requireTrust=draw(st.sampled_from(["client", "server"])),
    )


@st.composite
def goals(draw: st.DrawFn, place: int) -> dict[str, Any]:
    event_type = draw(EVENT_TYPES)
    metric = draw(
        st.sampled_from(
            [
                {"type": "points_total"},
                event_count(event_type),
                metadata_sum(event_type, "amount"),
                distinct_values(event_type, "product"),
                streak(event_type),
                streak(event_type, "week"),
            ]
        )
    )
    repeat = draw(st.booleans())
    endless = repeat and metric["type"] == "points_total"
    return milestone(
        f"m{place}",
        metric,
        draw(st.integers(1, 40)),
        repeat=repeat,
        points=0 if endless else draw(SMALL),
        extraPlays=draw(st.integers(0, 2)),
        badge=draw(st.sampled_from([None, "star"])),
    )


@st.composite
def prizes(draw: st.DrawFn, place: int) -> dict[str, Any]:
    return tier(
        f"t{place}",
        draw(st.integers(0, 300_000)),
        points=draw(SMALL),
        perUser=draw(MOSTLY_NONE),
        credit=draw(st.sampled_from(["immediate", "on_redeem"])),
        inventory=draw(st.one_of(st.none(), st.integers(0, 5))),
    )


@st.composite
def configurations(draw: st.DrawFn) -> Configuration:
    count = st.integers(0, 3)
    body = {
        "timezone": draw(st.sampled_from(["Europe/Berlin", "America/New_York", "UTC"])),
        "points": {
            "stacking": draw(st.sampled_from(["all", "max", "first"])),
            "rounding": draw(st.sampled_from(["floor", "nearest", "ceil"])),
            "capPerUser": {
                "day": draw(st.one_of(st.none(), st.integers(0, 100))),
                "total": draw(st.one_of(st.none(), st.integers(0, 300))),
            },
            "rules": [draw(rules(place)) for place in range(draw(count))],
            "multipliers": [
                {"id": f"x{place}", "factor": draw(st.sampled_from(["0.5", "1.5", "2"]))}
                for place in range(draw(count))
            ],
        },
        "milestones": [draw(goals(place)) for place in range(draw(count))],
        "instantWin": {
            "enabled": draw(st.booleans()),
            "eventTypes": ["buy", "login"],
            "requireTrust": draw(st.sampled_from(["client", "server"])),
            "limits": {
                "playsPerUser": {"total": draw(MOSTLY_NONE), "day": draw(MOSTLY_NONE)},
                "winsPerUser": {"total": draw(MOSTLY_NONE)},
            },
            "onPlayLimit": draw(st.sampled_from(["reject", "skip"])),
            "onSoldOut": draw(st.sampled_from(["lose", "next_tier", "redistribute"])),
            "tiers": [draw(prizes(place)) for place in range(draw(count))],
        },
    }
    return parse(body)


EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "after": st.sampled_from([0, 1000, HOUR, 11 * HOUR, DAY, 3 * DAY]),
            "event_type": EVENT_TYPES,
            "amount": st.one_of(
                st.decimals(-20, 80, places=2), st.sampled_from(["12.5", "x", [5, "7"], None])
            ),
            "product": st.sampled_from(["a", "b", "c", ["d", "e"], 1]),
            "trust": st.sampled_from(["client", "server"]),
            "draw": st.integers(0, 999_999),
            "sold_out": st.sampled_from([(), (), ("t0",), ("t0", "t1")]),
        }
    ),
    max_size=25,
)


def played(configuration: Configuration, events: list[dict[str, Any]]) -> Playing:
    playing = Playing(configuration, now=START)
    for event in events:
        playing.now += event["after"]
        metadata = {"amount": event["amount"], "product": event["product"]}
        try:
            playing.send(
                event["event_type"],
                metadata,
                draw=event["draw"],
                trust=event["trust"],
                sold_out=event["sold_out"],
            )
        except PlayLimitReached:
            continue
    return playing


def stored(player: Player) -> Player:
    """A player as it comes back from the table."""
    return Player.from_item(unmarshal(marshal(player.to_item())))


@given(configurations(), EVENTS)
@settings(max_examples=100)
def test_i1_a_total_is_the_sum_of_the_ledger_after_every_event(
    configuration: Configuration, events: list[dict[str, Any]]
) -> None:
    assume(problems(configuration) == [])
    playing = played(configuration, events)

    balance = 0
    for number, outcome in enumerate(playing.outcomes, start=1):
        before = balance
        for line in outcome.lines:
            assert line.points > 0
            balance += line.points
            assert line.balance_after == balance
        assert outcome.total_points == outcome.player.total_points == balance
        assert outcome.event.total_points == balance
        paid = outcome.win.points if outcome.win and outcome.win.credit == "immediate" else 0
        assert balance == before + outcome.points_earned + paid
        assert (outcome.event.points_earned, outcome.event.win_points) == (
            outcome.points_earned,
            paid,
        )
        assert (outcome.player.version, outcome.player.events_count) == (number, number)
    assert playing.player.total_points == sum(points for _, points in playing.ledger)


@given(configurations(), EVENTS)
@settings(max_examples=50)
def test_i3_i4_draws_and_wins_keep_to_their_limits(
    configuration: Configuration, events: list[dict[str, Any]]
) -> None:
    playing = played(configuration, events)

    instant_win = configuration.instant_win
    assert instant_win is not None
    plays, wins = instant_win.limits.plays_per_user, instant_win.limits.wins_per_user
    given_plays = sum(award.extra_plays for each in playing.outcomes for award in each.awards)
    draws = [outcome for outcome in playing.outcomes if outcome.played]
    by_day = Counter(day_of(outcome, configuration) for outcome in draws)
    by_tier = Counter(outcome.win.tier_id for outcome in draws if outcome.win)

    assert plays.total is None or len(draws) <= plays.total + given_plays
    assert plays.day is None or all(each <= plays.day + given_plays for each in by_day.values())
    assert wins.total is None or by_tier.total() <= wins.total
    for each in instant_win.tiers:
        assert each.per_user is None or by_tier[each.id] <= each.per_user
    if not instant_win.enabled:
        assert not draws


def day_of(outcome: Outcome, configuration: Configuration) -> object:
    zone = ZoneInfo(configuration.timezone)
    return datetime.fromtimestamp(outcome.event.at / 1000, tz=zone).date()


@given(configurations(), EVENTS)
@settings(max_examples=50)
def test_i14_rules_give_no_more_than_the_caps_and_award_no_more_often_than_their_limits(
    configuration: Configuration, events: list[dict[str, Any]]
) -> None:
    playing = played(configuration, events)

    cap = configuration.points.cap_per_user
    total, by_day, awards = 0, Counter[object](), Counter[object]()
    for outcome in playing.outcomes:
        day = day_of(outcome, configuration)
        for line in outcome.lines:
            if line.reason == "rule":
                total += line.points
                by_day[day] += line.points
                awards[line.source_id] += 1
                awards[line.source_id, day] += 1
    assert cap.total is None or total <= cap.total
    assert cap.day is None or all(each <= cap.day for each in by_day.values())
    for each in configuration.points.rules:
        limits = each.limits.per_user
        assert limits.total is None or awards[each.id] <= limits.total
        assert limits.day is None or all(awards[each.id, day] <= limits.day for day in by_day)


@given(configurations(), EVENTS)
@settings(max_examples=50)
def test_i13_milestones_are_reached_in_order_and_those_that_do_not_repeat_once(
    configuration: Configuration, events: list[dict[str, Any]]
) -> None:
    playing = played(configuration, events)

    for each in configuration.milestones:
        awards = [
            award
            for outcome in playing.outcomes
            for award in outcome.awards
            if award.milestone_id == each.id
        ]
        reached = 0
        for award in awards:
            reached += award.times
            assert award.number == reached
            assert award.points == each.reward.points * award.times
        assert each.repeat or reached <= 1
        if isinstance(each.metric, PointsTotal):
            fits = int(playing.player.total_points // each.threshold)
            assert reached == (fits if each.repeat else min(fits, 1))
        if not isinstance(each.metric, Streak | PointsTotal):
            assert len({award.event_id for award in awards}) == len(awards)


@given(configurations(), EVENTS)
@settings(max_examples=50)
def test_an_event_fits_into_one_transaction_and_its_items_have_keys_of_their_own(
    configuration: Configuration, events: list[dict[str, Any]]
) -> None:
    playing = played(configuration, events)

    keys = []
    for outcome in playing.outcomes:
        items = [outcome.event, *outcome.lines, *outcome.awards]
        # With two receipts, the player, the win, its code, the stock and the day's count.
        assert len(items) + 7 <= 40
        keys += [item.key for item in items]
    assert len(set(keys)) == len(keys)


@given(configurations(), EVENTS, EVENTS)
@settings(max_examples=50)
def test_an_event_is_judged_alike_from_the_table_and_by_the_stored_configuration(
    configuration: Configuration, before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> None:
    one = played(configuration, before)
    other = Playing(from_text(to_text(configuration)), now=START)
    other.player = stored(one.player)
    other.now = one.now

    for event in after:
        for playing in (one, other):
            playing.now += event["after"]
            playing.player = replace(playing.player)
        metadata = {"amount": event["amount"], "product": event["product"]}
        results = [judged(playing, event, metadata) for playing in (one, other)]
        assert results[0] == results[1]
        other.player = stored(other.player)
        assert other.player == one.player


def judged(playing: Playing, event: dict[str, Any], metadata: dict[str, Any]) -> object:
    try:
        outcome = playing.send(
            event["event_type"], metadata, draw=event["draw"], trust=event["trust"]
        )
    except PlayLimitReached:
        return "rejected"
    for item in (outcome.event, *outcome.lines, *outcome.awards):
        assert type(item).from_item(unmarshal(marshal(item.to_item()))) == item
    return outcome.points_earned, outcome.total_points, outcome.win, outcome.milestones


@given(configurations(), EVENTS)
@settings(max_examples=50)
def test_judging_changes_nothing_that_it_was_given(
    configuration: Configuration, events: list[dict[str, Any]]
) -> None:
    playing = Playing(configuration, now=START)
    for event in events:
        player, kept = playing.player, stored(playing.player)
        judged(playing, event, {"amount": event["amount"]})
        assert player == kept


SCALARS = st.one_of(
    st.text(max_size=20),
    st.booleans(),
    st.none(),
    st.integers(),
    st.decimals(),
    st.floats(),
    st.sampled_from(["1" * 50, "0x10", "1_0", "٣", "-0", "+.5", "1e5", "Infinity", "NaN"]),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)
EVERY_OPERATOR = [
    ("eq", 5),
    ("neq", "x"),
    ("in", ["x", 1, True]),
    ("gt", 1),
    ("gte", 1),
    ("lt", 1),
    ("lte", 1),
    ("between", [1, 5]),
    ("contains", "x"),
    ("exists", False),
]
EVERYTHING = parse(
    {
        "dedupe": [{"eventType": "buy", "by": "metadata.a.b"}],
        "points": {
            "rules": [
                rule(op, "buy", 1, when=[{"field": "a.b", "op": op, "value": value}])
                for op, value in EVERY_OPERATOR
            ]
            + [
                rule("unit", "buy", {"type": "per_unit", "field": "a", **unit})
                for unit in ({"unit": 1, "points": 2, "max": 100},)
            ]
            + [rule("field", "buy", {"type": "from_field", "field": "a.b", "max": 100})]
        },
        "milestones": [
            milestone("sum", metadata_sum("buy", "a"), 10, repeat=True, points=1),
            milestone("kinds", distinct_values("buy", "a.b"), 2, repeat=True, points=1),
        ],
    }
)


@given(st.dictionaries(st.sampled_from(["a", "a.b", "b", ""]), ANYTHING))
def test_no_metadata_whatever_makes_judging_fail(metadata: dict[str, Any]) -> None:
    playing = Playing(EVERYTHING)
    nested = {"a": {"b": metadata.get("a.b")}}

    for each in (metadata, nested):
        natural_key(EVERYTHING, playing.occurrence("buy", each))
        outcome = playing.send("buy", each)
        assert outcome.total_points >= 0
