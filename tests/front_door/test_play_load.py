"""A campaign with ten prizes, played by many at once until long after they are gone, and then
played again with the same keys."""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from typing import Any

import httpx
import pytest

from local.stack import Stack
from tests.api import Json
from tests.play_invariants import check
from tests.playing import Game, mechanics
from tests.scenarios import at_once

pytestmark = pytest.mark.both_engines

PRIZES = 10

_log = logging.getLogger(__name__)


def ten_prizes(odds_ppm: int) -> Json:
    made = mechanics(milestones=None)
    gold = {**made["instantWin"]["tiers"][0], "oddsPpm": odds_ppm, "inventory": PRIZES}
    made["instantWin"] |= {"limits": {}, "tiers": [gold]}
    return made


def all_played(stack: Stack, *, plays: int, users: int, threads: int, odds_ppm: int) -> None:
    game = Game.started(stack, ten_prizes(odds_ppm))
    events = [
        game.sending(f"user_{number % users}", "purchase", {"amount": 20}, key=f"play-{number}")
        for number in range(plays)
    ]

    first = _timed("played", stack, events, threads)

    assert Counter(answer.status_code for answer in first) == {200: plays}
    won = [answer.json()["data"]["instantWin"]["won"] for answer in first]
    assert won.count(True) == PRIZES
    written = check(game)
    assert len(written.events) == plays
    assert Counter(win.tier_id for win in written.wins) == {"gold": PRIZES}
    assert len(written.codes) == PRIZES
    assert [(stock.awarded, stock.inventory) for stock in written.stocks] == [(PRIZES, PRIZES)]
    assert sum(player.total_points for player in written.players) == plays * 100 + PRIZES * 500

    order = list(range(plays))
    random.Random(6).shuffle(order)  # noqa: S311 - an order, not a secret
    again = _timed("replayed", stack, [events[number] for number in order], threads)

    assert {answer.headers.get("idempotent-replayed") for answer in again} == {"true"}
    assert [answer.content for answer in again] == [first[number].content for number in order]
    assert check(game) == written


def _timed(what: str, stack: Stack, events: list[Any], threads: int) -> list[httpx.Response]:
    started = time.perf_counter()
    answers = at_once(stack, events, threads=threads)
    seconds = time.perf_counter() - started
    _log.info("%d %s by %d threads in %.1f s", len(events), what, threads, seconds)
    return answers


def test_three_hundred_plays_win_ten_prizes_and_repeated_they_win_no_more(
    fresh_stack: Stack,
) -> None:
    all_played(fresh_stack, plays=300, users=60, threads=16, odds_ppm=200_000)


@pytest.mark.load
@pytest.mark.timeout(900)
def test_five_thousand_plays_win_ten_prizes_and_repeated_they_win_no_more(
    engine: str, fresh_stack: Stack
) -> None:
    if engine == "moto":
        pytest.skip("makes one call at a time")
    all_played(fresh_stack, plays=5_000, users=1_000, threads=64, odds_ppm=20_000)
