"""Days and months of a campaign over the night in which its clocks go back."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from grapevine.engine.access import CAMPAIGN_CACHE_MS
from local.stack import Stack
from tests.api import Json
from tests.play_invariants import check
from tests.playing import Game
from tests.scenarios import leap

BERLIN = ZoneInfo("Europe/Berlin")


def fixed(rule_id: str, points: int, **limits: int) -> Json:
    return {
        "id": rule_id,
        "eventType": rule_id.split("-", maxsplit=1)[0],
        "award": {"type": "fixed", "points": points},
        "limits": {"perUser": limits},
    }


MECHANICS: Json = {
    "timezone": "Europe/Berlin",
    "dedupe": [{"eventType": "login", "by": "calendarDay"}],
    "points": {
        "rules": [
            fixed("tick-day", 10, day=1),
            fixed("tick-month", 1, month=1),
            fixed("big", 60),
            fixed("login", 5),
        ],
        "capPerUser": {"day": 100},
    },
    "milestones": [
        {
            "id": "three-days",
            "name": "Three days",
            "metric": {"type": "streak", "eventType": "login"},
            "threshold": 3,
            "reward": {"points": 7},
        }
    ],
    "instantWin": {
        "eventTypes": ["play"],
        "onPlayLimit": "skip",
        "limits": {"playsPerUser": {"day": 1}},
        "tiers": [{"id": "gold", "name": "Gold", "oddsPpm": 1_000_000, "perDay": 2}],
    },
}


def times_of(stack: Stack) -> list[int]:
    """In ms: around the midnights of a last Sunday of October that is the month's last day, and in
    its hour that comes twice."""
    year = datetime.fromtimestamp(stack.now_ms() / 1000, UTC).year
    sunday = next(
        day for day in (date(year + number, 10, 31) for number in count(1)) if day.weekday() == 6
    )
    saturday, monday = sunday - timedelta(days=1), sunday + timedelta(days=1)

    def at(day: date, hour: int, minute: int, fold: int = 0) -> int:
        local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=BERLIN, fold=fold)
        return round(local.timestamp() * 1000)

    return [
        at(saturday, 23, 58),
        at(sunday, 0, 1),
        at(sunday, 2, 30),
        at(sunday, 2, 30, fold=1),
        at(sunday, 23, 58),
        at(monday, 0, 1),
    ]


def test_i14_the_day_of_25_hours_is_one_day_for_all_that_counts_by_days(
    fresh_stack: Stack,
) -> None:
    times = times_of(fresh_stack)
    leap(fresh_stack, times[0] - CAMPAIGN_CACHE_MS)
    game = Game.started(fresh_stack, MECHANICS)
    told: dict[str, list[Any]] = {}

    def note(name: str, value: Any) -> None:
        told.setdefault(name, []).append(value)

    for number, time in enumerate(times):
        leap(fresh_stack, time)
        note("limits", game.event("ticker", "tick")["pointsEarned"])
        note("cap", game.event("big", "big")["pointsEarned"])
        note("plays", game.event("player", "play")["instantWin"].get("played", True))
        stock = [game.event(f"{number}-{one}", "play")["instantWin"]["won"] for one in range(2)]
        note("stock", stock)
        login = game.event("login", "login")
        note("streak", [each["id"] for each in login.get("milestones", [])])

    assert times[4] - times[1] == 24 * 3_600_000 + 57 * 60_000
    assert told == {
        "limits": [11, 10, 0, 0, 0, 11],
        "cap": [60, 60, 40, 0, 0, 60],
        "plays": [True, True, False, False, False, True],
        # The first of each day's two prizes went to the player.
        "stock": [[True, False]] * 2 + [[False, False]] * 3 + [[True, False]],
        # The login of a day is known, so it is answered as it was: without the streak.
        "streak": [[], [], [], [], [], ["three-days"]],
    }
    lines = Counter(line.source_id for line in check(game).lines if line.user_id == "login")
    assert lines == {"login": 3, "three-days": 1}
    [player] = [each for each in check(game).players if each.user_id == "login"]
    assert player.events_count == 3
