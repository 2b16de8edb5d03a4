"""Keeping the boards of days, weeks and months from the states of players, as the stream tells of
them.

An entry is written last: where one as new is there, the index of ranks has counted it as well, and
there is nothing to do. So states may come again, late or in another order.
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from grapevine import runtime
from grapevine.engine.mechanics.counters import PERIODS
from grapevine.engine.mechanics.period_scores import score_of
from grapevine.engine.mechanics.periods import first_day
from grapevine.engine.parallel import in_parallel
from grapevine.engine.ranks.points.maintenance import maintain
from grapevine.engine.ranks.points.places import Place
from grapevine.engine.ranks.points.places import checked as checked_place
from grapevine.table import store
from grapevine.table.keys import Key
from grapevine.table.player_periods import PlayerPeriod, put_if_newer
from grapevine.table.players import Player
from grapevine.table.points_board import Period, PointsBoard

_DAYS_KEPT = 7
"""After the period's end in UTC: by then it has ended in all time zones, and all records of it have
come."""


def keep(players: Iterable[Player]) -> None:
    """The boards show these states, or newer ones of the same players.

    Raises:
        Busy: some may be shown; repeating is safe.
    """
    entries = _newest(players)
    found = store.get_many(entries)
    missing = [
        entry
        for key, entry in entries.items()
        if key not in found or found[key]["reachedAt"] < entry.reached_at
    ]
    boards = defaultdict[PointsBoard, list[PlayerPeriod]](list)
    for entry in missing:
        boards[entry.board].append(entry)
    in_parallel([partial(_count, board, on_it) for board, on_it in boards.items()])
    in_parallel([partial(put_if_newer, entry) for entry in missing])


def checked(player: Player) -> Player:
    """The player, if its entries can be made.

    Raises:
        KeyError, TypeError, ValueError
    """
    for period in PERIODS:
        entry = entry_of(player, period)
        if entry is not None:
            checked_place(place_of(entry))
    return player


def _count(board: PointsBoard, entries: list[PlayerPeriod]) -> None:
    places = [place_of(entry) for entry in entries]
    maintain(board.campaign_id, board.name, places, expires_at=entries[0].expires_at)


def place_of(entry: PlayerPeriod) -> Place:
    return Place(entry.user_id, entry.reached_at, entry.position)


def _newest(players: Iterable[Player]) -> dict[Key, PlayerPeriod]:
    """Of each player the newest entry of each kind, by its key, but for what is long over."""
    now = runtime.now_ms() // 1000
    newest: dict[Key, PlayerPeriod] = {}
    for player in players:
        for period in PERIODS:
            entry = entry_of(player, period)
            if entry is None or entry.expires_at <= now:
                continue
            known = newest.get(entry.key)
            if known is None or known.reached_at < entry.reached_at:
                newest[entry.key] = entry
    return newest


def entry_of(player: Player, period: Period) -> PlayerPeriod | None:
    """On the board of the last period of this kind in which the player had an event."""
    score = score_of(player.counters, period)
    if score is None:
        return None
    return PlayerPeriod(
        campaign_id=player.campaign_id,
        user_id=player.user_id,
        period=period,
        number=score.number,
        points=score.points,
        reached_at=score.reached_at,
        expires_at=expiry_of(period, score.number),
    )


def expiry_of(period: Period, number: int) -> int:
    """When what is stored of a period's board goes away (seconds)."""
    day = first_day(period, number + 1) + timedelta(days=_DAYS_KEPT)
    return calendar.timegm(day.timetuple())
