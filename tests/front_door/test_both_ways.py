"""The same events by GamifyHost and by Referd, in the same campaign, from the same beginning."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from grapevine.table import store
from grapevine.table.ledger import LedgerLine, PlayerEvent
from grapevine.table.players import Player
from local.stack import Stack
from tests.api import Json
from tests.conftest import inside
from tests.invariants import table_of
from tests.play_invariants import Written, check
from tests.playing import Game, mechanics
from tests.reporting import report
from tests.scenarios import DAY_MS, leap

USER = "user_12345"
DAYS = 4
Event = tuple[str, Json | None]


def varied() -> Json:
    """Mechanics in which each kind of value in an event's metadata decides points."""

    def rule(name: str, award: Json, **rest: Any) -> Json:
        return {"id": name, "eventType": "purchase", "award": award, **rest}

    def milestone(name: str, threshold: int, points: int, **metric: Any) -> Json:
        reward = {"points": points}
        made = {"id": name, "name": name, "metric": metric, "threshold": threshold}
        return {**made, "repeat": metric["type"] != "points_total", "reward": reward}

    made = mechanics(sources=["gamifyhost", "referd"], timezone="UTC")
    per_unit = {"type": "per_unit", "field": "amount", "unit": 0.25, "points": 1.5, "max": 900}
    made["points"]["rules"] += [
        rule("each", per_unit),
        rule("seats", {"type": "from_field", "field": "order.seats", "max": 50}),
        rule(
            "code",
            {"type": "fixed", "points": 7},
            when=[{"field": "code", "op": "eq", "value": "20"}],
        ),
        rule(
            "tag",
            {"type": "fixed", "points": 11},
            when=[{"field": "tags", "op": "contains", "value": "new"}],
            limits={"perUser": {"day": 2}},
        ),
        rule("gift", {"type": "fixed", "points": 13}, when=[{"field": "isGift", "op": "exists"}]),
    ]
    made["milestones"] = [
        milestone("rich", 400, 17, type="points_total"),
        milestone("sum", 100, 19, type="metadata_sum", eventType="purchase", field="amount"),
        milestone("tags", 2, 23, type="distinct_values", eventType="purchase", field="tags"),
        milestone("streak", 2, 29, type="streak", eventType="daily_login"),
        milestone("reviews", 3, 31, type="event_count", eventType="review"),
    ]
    made["instantWin"]["limits"] = {}
    for tier, odds in zip(made["instantWin"]["tiers"], (300_000, 400_000), strict=True):
        tier |= {"oddsPpm": odds, "perUser": 3}
    return made


def days_of_events() -> list[list[Event]]:
    """Those of each day. Numbers and texts that spell them, lists, members of members, nothing."""
    chosen = random.Random(12)  # noqa: S311 - examples, no secret
    amounts = [20, 9.99, "49.90", "12", 0, 1e3, -3, None, "twenty", [5, 7.5]]

    def purchase(number: int) -> Event:
        metadata: Json = {"orderId": f"o-{number}", "amount": chosen.choice(amounts)}
        metadata["code"] = chosen.choice([20, "20", "020", True])
        metadata["tags"] = chosen.choice([["new", "red"], ["old"], "new", [], [1, "1"]])
        metadata["order"] = chosen.choice([{"seats": 3}, {"seats": "4"}, {}, 5])
        if chosen.random() < 0.5:
            metadata["isGift"] = chosen.choice([True, False, None])
        return "purchase", metadata

    days = []
    for day in range(DAYS):
        events = [purchase(6 * day + number) for number in range(6)]
        events += [("review", {"stars": 5}), ("review", None), ("unheard_of", {"a": [1, 2]})]
        # An order that comes again, and a second login of the day.
        events += [events[0], *[("daily_login", {})] * (0 if day == 2 else 2)]
        days.append(events)
    return days


def told(written: Written) -> Json:
    """What was recorded and given, without what is each time's own: when it was, and the ids of
    events that nothing names. Nulls are left out: Referd stores none, and rules see none."""
    orders = {event.event_id for event in written.events if event.event_type == "purchase"}

    def named(event_id: str) -> str:
        return event_id if event_id in orders else ""

    def event(one: PlayerEvent) -> PlayerEvent:
        is_draw = one.event_type == "purchase"
        return replace(
            one,
            event_id=named(one.event_id),
            metadata={name: each for name, each in one.metadata.items() if each is not None},
            at=0,
            source="gamifyhost",
            draw_value=one.draw_value if is_draw else None,
        )

    def line(one: LedgerLine) -> LedgerLine:
        return replace(one, event_id=named(one.event_id), at=0)

    def player(one: Player) -> Json:
        return {
            "totals": (one.total_points, one.events_count, one.version),
            "plays": one.counters["plays"]["total"],
            "wins": one.counters["wins"],
        }

    return {
        "events": [event(one) for one in sorted(written.events, key=lambda one: one.at)],
        "ledger": [line(one) for one in sorted(written.lines, key=lambda one: one.key.sort)],
        "wins": sorted((one.event_id, one.tier_id, one.code, one.points) for one in written.wins),
        "milestones": sorted(
            (one.milestone_id, one.number, one.times, one.points) for one in written.awards
        ),
        "stocks": sorted((one.tier_id, one.awarded) for one in written.stocks),
        "players": [player(one) for one in written.players],
    }


def played_by(game: Game, send: Callable[[Event], object]) -> Json:
    """What comes of all events, from noon of the next day on; the table is afterwards as before."""
    stack = game.stack
    stack.drain()
    before = table_of(stack)
    leap(stack, (stack.now_ms() // DAY_MS + 1) * DAY_MS + DAY_MS // 2)
    for events in days_of_events():
        for event in events:
            send(event)
        leap(stack, stack.now_ms() + DAY_MS)
    written = check(game)
    stack.drain()
    after = table_of(stack)
    with inside(stack):
        # Containers remember the secret of the account's codes.
        store.remove([key for key in after if key not in before and key.sort != "CODESECRET"])
        store.put_all(before.values())
    stack.drain()
    return told(written)


def test_i12_the_same_events_by_either_way_give_the_same_ledger(fresh_stack: Stack) -> None:
    """Line by line, and with the same ids, draws, prizes and codes of the orders, since these
    follow from their numbers. Nothing else is different but the `source`."""
    game = Game.started(fresh_stack, varied())

    def by_referd(event: Event) -> None:
        report(fresh_stack, dict([event]), player=USER)
        fresh_stack.drain()

    one = played_by(game, lambda event: game.event(USER, *event))
    assert game.player(USER) is None
    other = played_by(game, by_referd)

    assert other == one
    reasons = {line.source_id for line in one["ledger"]}
    assert reasons >= {"each", "seats", "code", "tag", "gift", "login", "gold", "silver"}
    assert reasons >= {"rich", "sum", "tags", "streak", "reviews"}
    assert len(one["events"]) == DAYS * 9 + DAYS - 1
    assert len({event.draw_value for event in one["events"]}) > DAYS * 5


def test_i12_what_has_come_by_one_way_is_known_by_the_other(stack: Stack) -> None:
    game = Game.started(stack, varied())
    orders = [{"amount": 20 + number, "orderId": f"o-{number}"} for number in range(4)]

    for number, order in enumerate(orders):
        for way in range(2):
            if (number + way) % 2:
                report(stack, {"purchase": order}, player=USER)
                stack.drain()
            else:
                answer = game.send(USER, "purchase", order)
                assert ("idempotent-replayed" in answer.headers) == bool(way)

    assert game.player(USER).events_count == len(orders)  # type: ignore[union-attr]
