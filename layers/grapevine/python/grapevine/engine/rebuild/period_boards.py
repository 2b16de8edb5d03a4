"""The boards of the days, weeks and months that it is, made right from a campaign's players: their
indexes of ranks, and then the entries, as in `engine/mechanics/period_boards.py`.

Boards of periods that are over are left alone: nobody is shown them, and they go away by
themselves.
"""

from __future__ import annotations

from grapevine import runtime
from grapevine.engine.mechanics.campaign import played
from grapevine.engine.mechanics.period_boards import entry_of, expiry_of, place_of
from grapevine.engine.mechanics.periods import periods_at
from grapevine.engine.ranks.points.places import Place
from grapevine.engine.rebuild.findings import Findings, Kind
from grapevine.engine.rebuild.points import Ranking, rebuild_points
from grapevine.engine.rebuild.progress import Progress
from grapevine.table import player_keys, store
from grapevine.table.attributes import Item
from grapevine.table.campaigns import Campaign
from grapevine.table.keys import Key
from grapevine.table.player_periods import PlayerPeriod, put_if_unchanged
from grapevine.table.players import Player
from grapevine.table.points_board import Period, PointsBoard, every_player

_AT_ONCE = 100


def rebuild_periods(campaign: Campaign, findings: Findings, progress: Progress) -> None:
    """The boards show all players as they are, and `findings` says what was wrong with them.

    Raises:
        Busy: as `rebuild_points`. Repeating is safe.
    """
    configuration = played(campaign).configuration
    now = periods_at(runtime.now_ms(), configuration.timezone)
    for period in configuration.leaderboard.periods:
        board = PointsBoard(campaign.campaign_id, period, now.number(period))
        rebuild_points(_ranking(board, period), findings, progress)
        _mend_entries(board, period, findings)


def _ranking(board: PointsBoard, period: Period) -> Ranking:
    def place(player: Player) -> Place | None:
        entry = entry_of(player, period)
        return place_of(entry) if entry and entry.number == board.number else None

    return Ranking(board, place, expiry_of(period, board.number))


def _mend_entries(board: PointsBoard, period: Period, findings: Findings) -> None:
    """An entry that changes meanwhile is left to the stream, which brings what is newer."""
    campaign_id = board.campaign_id
    for listed in every_player(campaign_id, _AT_ONCE, descending=True):
        users = [one.user_id for one in listed]
        # Entries before states: so a state is never older than an entry that follows from it.
        entries = store.get_many(
            player_keys.player_period(campaign_id, each, period) for each in users
        )
        states = store.get_many(player_keys.player(campaign_id, each) for each in users)
        for item in states.values():
            wanted = _wanted(item, board, period)
            if wanted is not None:
                _mend(wanted, entries, findings)


def _wanted(item: Item, board: PointsBoard, period: Period) -> PlayerPeriod | None:
    try:
        entry = entry_of(Player.from_item(item), period)
    except (KeyError, TypeError, ValueError):
        return None  # the index of ranks by points says who cannot be counted
    return entry if entry and entry.number == board.number else None


def _mend(wanted: PlayerPeriod, entries: dict[Key, Item], findings: Findings) -> None:
    found = entries.get(wanted.key)
    if found == wanted.to_item() or not put_if_unchanged(wanted, found):
        return
    is_behind = found is None or found["reachedAt"] < wanted.reached_at
    kind = Kind.BEHIND if is_behind else Kind.PLAYER
    findings.add(kind, f"player {wanted.user_id}: the entry on the board {wanted.board.name}")
