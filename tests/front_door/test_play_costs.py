"""What an event costs, as it is counted: docs/performance.md has the same numbers."""

from __future__ import annotations

import httpx

from local.stack import Stack
from tests.playing import BLANK, GOLD, Game, by_moments, mechanics
from tests.scenarios import DAY_MS, MINUTE_MS, leap

PURCHASE = {"amount": 20}


def cost(answer: httpx.Response) -> tuple[str, str, str]:
    """Calls, read units and write units."""
    assert answer.status_code == 200
    calls, reads, writes = (
        answer.headers[f"x-local-{name}"] for name in ("calls", "read-units", "write-units")
    )
    return calls, reads, writes


def test_what_an_event_costs(fresh_stack: Stack) -> None:
    game = Game.started(fresh_stack, mechanics())
    blank, gold = game.keys_that_draw(BLANK), game.keys_that_draw(GOLD)
    keys = [next(blank) for _ in range(3)]
    costs = {}

    costs["cold"] = cost(game.send("user", "purchase", PURCHASE, key=keys[0]))
    costs["warm"] = cost(game.send("user", "purchase", PURCHASE, key=keys[1]))
    costs["of a new player"] = cost(game.send("other", "purchase", PURCHASE, key=keys[2]))
    costs["repeated"] = cost(game.send("user", "purchase", PURCHASE, key=keys[1]))
    costs["with no rule, no key"] = cost(game.send("user", "unheard_of"))
    costs["first win of the container"] = cost(
        game.send("user", "purchase", PURCHASE, key=next(gold))
    )
    costs["a win"] = cost(game.send("other", "purchase", PURCHASE, key=next(gold)))
    costs["a preview"] = cost(
        game.call("POST", "events/preview", {"userId": "user", "eventType": "purchase"})
    )

    assert costs == {
        "cold": ("6", "6", "11"),
        "warm": ("2", "2", "10"),
        "of a new player": ("2", "2", "11"),
        "repeated": ("1", "2", "0"),
        "with no rule, no key": ("2", "1", "4"),
        "first win of the container": ("4", "3", "21"),
        "a win": ("2", "2", "20"),
        "a preview": ("5", "5", "0"),
    }


def test_boards_of_periods_cost_the_event_itself_nothing(fresh_stack: Stack) -> None:
    """What they cost is behind it, in the stream."""
    periods = {"periods": ["day", "week", "month"]}
    game = Game.started(fresh_stack, mechanics(leaderboard=periods))
    keys = game.keys_that_draw(BLANK)
    game.send("user", "purchase", PURCHASE, key=next(keys))

    assert cost(game.send("user", "purchase", PURCHASE, key=next(keys))) == ("2", "2", "10")


def test_a_play_by_moments_reads_a_page_of_them(fresh_stack: Stack) -> None:
    now = fresh_stack.now_ms()
    game = Game.started(fresh_stack, by_moments(now, now + 30 * DAY_MS, gold=3))
    leap(fresh_stack, now + 30 * DAY_MS - MINUTE_MS)
    game.event("user", "purchase", PURCHASE)

    assert cost(game.send("user", "purchase", PURCHASE)) == ("3", "2", "20")
