"""Reading what a player has done and got: the player, the ledger, the wins, one event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from grapevine import runtime
from grapevine.engine.mechanics.code_secret import code_secret
from grapevine.engine.mechanics.proofs import Proof, proof_of
from grapevine.engine.mechanics.win_codes import hash_of_code
from grapevine.errors import InvalidRequest, NotFound, Problem
from grapevine.table import histories, mechanics_keys, player_keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.codes import Code
from grapevine.table.keys import Key
from grapevine.table.ledger import LedgerLine, PlayerEvent, Reason, Reversal, Win
from grapevine.table.players import Player

MOST_LOOKED_AT = 1000
"""Rows that one request for some of them looks at."""

_AT_ONCE = 200

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`next_place` is None at the end. A page of what was filtered may hold less than was asked
    for, or nothing, with more behind it."""

    rows: list[T]
    next_place: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A win, and what has become of its code; None where there is no such code any more."""

    win: Win
    code_status: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """An event with the lines that it wrote, and those of its reversal if there was one; and what
    its draw is checked with."""

    event: PlayerEvent
    lines: list[LedgerLine]
    reversal: Reversal | None
    proof: Proof


def player_of(campaign: Campaign, user_id: str) -> Player:
    """As the last event left the player. Raises NotFound."""
    item = store.get(_place_of(campaign, user_id))
    if item is None:
        raise _unknown()
    return Player.from_item(item)


def ledger_page(
    player: Player, reason: Reason | None, cursor: str | None, limit: int
) -> Page[LedgerLine]:
    """Newest first. Raises InvalidRequest for a cursor that never was one."""

    def read(place: str | None, count: int) -> list[tuple[str, LedgerLine]]:
        return histories.ledger_of(player.campaign_id, player.user_id, place, count)

    matches = None if reason is None else lambda line: line.reason == reason
    return _page(read, matches, cursor, limit)


def wins_page(campaign: Campaign, player: Player, cursor: str | None, limit: int) -> Page[Shown]:
    """The player's, newest first. Raises InvalidRequest for a cursor that never was one."""

    def read(place: str | None, count: int) -> list[tuple[str, Win]]:
        return histories.wins_of(player.campaign_id, player.user_id, place, count)

    return _shown(campaign, _page(read, None, cursor, limit))


def campaign_wins_page(
    campaign: Campaign,
    tier: str | None,
    first_at: int | None,
    last_at: int | None,
    cursor: str | None,
    limit: int,
) -> Page[Shown]:
    """Those of a tier (its id or its name) between two times (ms, both included), newest first.
    Raises InvalidRequest for a cursor that never was one."""
    first = 0 if first_at is None else first_at
    last = histories.LAST_AT if last_at is None else last_at

    def read(place: str | None, count: int) -> list[tuple[str, Win]]:
        return histories.wins_in(campaign.campaign_id, first, last, place, count)

    matches = None if tier is None else lambda win: tier in (win.tier_id, win.tier_name)
    return _shown(campaign, _page(read, matches, cursor, limit))


def event_of(campaign: Campaign, user_id: str, event_id: str) -> Told:
    """One event of a player. Raises NotFound."""
    missing = NotFound("Campaign or event not found")
    whose = (campaign.campaign_id, user_id, event_id)
    try:
        places = (player_keys.player_event(*whose), player_keys.reversal(*whose))
    except ValueError:
        raise missing from None
    items = store.get_many(places)
    event, reversal = (items.get(place) for place in places)
    if event is None:
        raise missing
    told = PlayerEvent.from_item(event)
    lines, proof = histories.lines_of_event(*whose, told.at), proof_of(campaign, told)
    if reversal is None:
        return Told(told, lines, None, proof)
    taken_back = Reversal.from_item(reversal)
    lines += histories.lines_of_event(*whose, taken_back.at)
    return Told(told, lines, taken_back, proof)


def _place_of(campaign: Campaign, user_id: str) -> Key:
    try:
        return player_keys.player(campaign.campaign_id, user_id)
    except ValueError:
        raise _unknown() from None


def _unknown() -> NotFound:
    return NotFound("Campaign or participant not found")


def _page(
    read: Callable[[str | None, int], list[tuple[str, T]]],
    matches: Callable[[T], bool] | None,
    cursor: str | None,
    limit: int,
) -> Page[T]:
    """`read` gives so many rows with their places, from a place on."""
    size = limit if matches is None else _AT_ONCE
    found: list[T] = []
    place, looked_at = cursor, 0
    while True:
        try:
            rows = read(place, size + 1)
        except ValueError:
            raise _no_cursor() from None
        for place, row in rows[:size]:
            if matches is not None and not matches(row):
                continue
            if len(found) == limit:
                return Page(found, place)
            found.append(row)
        if len(rows) <= size:
            return Page(found, None)
        place, looked_at = rows[size][0], looked_at + size
        if matches is None or looked_at >= MOST_LOOKED_AT:
            return Page(found, place)


def _no_cursor() -> InvalidRequest:
    message = "must be a nextCursor that you have been given"
    return InvalidRequest(message, Problem("query", "cursor", "cursor", message))


def _shown(campaign: Campaign, page: Page[Win]) -> Page[Shown]:
    if not page.rows:
        return Page([], page.next_place)
    secret = code_secret(campaign.account_id)
    places = {
        win.code: mechanics_keys.code(campaign.account_id, hash_of_code(secret, win.code))
        for win in page.rows
    }
    codes = store.get_many(places.values())
    now = runtime.now_ms()
    status = {place: Code.from_item(item).status_at(now) for place, item in codes.items()}
    shown = [Shown(win, status.get(places[win.code])) for win in page.rows]
    return Page(shown, page.next_place)
