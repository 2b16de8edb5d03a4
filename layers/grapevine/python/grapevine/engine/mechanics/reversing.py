"""Taking an event back: opposite ledger lines, and its code is revoked, in one transaction, once.

What was counted stays counted: plays, caps, the progress and the number of milestones, and the
prize's stock. So nobody earns the same twice by having it taken back in between. The board of a
period loses the points if the event was in it and it is not over. A total never
goes below zero: what cannot be taken is told by the line that could not take it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.mechanics.campaign import played
from grapevine.engine.mechanics.code_secret import code_secret
from grapevine.engine.mechanics.period_scores import without_points
from grapevine.engine.mechanics.periods import periods_at
from grapevine.engine.mechanics.recording import WITHIN_SECONDS
from grapevine.engine.mechanics.redeeming import EVENT_TYPE
from grapevine.engine.mechanics.win_codes import hash_of_code
from grapevine.errors import NotFound
from grapevine.table import histories, keys, mechanics_keys, player_keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.codes import Code, counted
from grapevine.table.ledger import LedgerLine, PlayerEvent, Reversal, Win
from grapevine.table.players import Player
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, Put, Write, version


@dataclass(frozen=True, slots=True)
class Reversed:
    """`is_replay`: it had been taken back before."""

    reversal: Reversal
    is_replay: bool


def reverse(campaign: Campaign, user_id: str, event_id: str, by: str) -> Reversed:
    """Takes an event of a user back; `by` is the key that asks for it. It can be done at any time,
    also after the campaign has ended, and a second time changes nothing.

    Raises:
        NotFound: the user has no such event in this campaign.
        Busy: nothing was written.
    """
    if not keys.is_id(event_id):
        raise NotFound("Campaign or event not found")
    campaign_id, now = campaign.campaign_id, runtime.now_ms()
    places = (
        player_keys.player(campaign_id, user_id),
        player_keys.player_event(campaign_id, user_id, event_id),
        player_keys.reversal(campaign_id, user_id, event_id),
    )
    for _ in attempts(WITHIN_SECONDS):
        found = store.get_many(places)
        player, event, before = (found.get(place) for place in places)
        if before is not None:
            return Reversed(Reversal.from_item(before), True)
        if event is None or player is None:
            raise NotFound("Campaign or event not found")
        reversal, writes = _reversal(
            campaign, Player.from_item(player), PlayerEvent.from_item(event), now, by
        )
        try:
            store.transact([Put(reversal.to_item(), ABSENT), *writes])
        except TransactionCanceled:
            continue
        return Reversed(reversal, False)
    raise AssertionError("attempts() ends by raising Busy")


def _reversal(
    campaign: Campaign, player: Player, event: PlayerEvent, now: int, by: str
) -> tuple[Reversal, list[Write]]:
    given = histories.lines_of_event(event.campaign_id, event.user_id, event.event_id, event.at)
    at = player.next_at(now)
    lines = opposite(player, given, at)
    after = replace(
        player,
        version=player.version + 1,
        total_points=lines[-1].balance_after if lines else player.total_points,
        last_at=at,
        reached_at=at if any(line.points for line in lines) else player.reached_at,
    )
    points = -sum(line.points for line in lines)
    if event.counted_in:
        game = played(campaign, may_be_remembered=True)
        now_in = periods_at(at, game.configuration.timezone)
        counters = without_points(player.counters, event.counted_in, now_in, points, at)
        after = replace(after, counters=counters)
    code = _code_of(campaign, event)
    left, of_code = _withdrawn(code, event) if code else (None, [])
    reversal = Reversal(
        campaign_id=event.campaign_id,
        user_id=event.user_id,
        event_id=event.event_id,
        at=at,
        points=points,
        uncovered=sum(line.uncovered or 0 for line in lines),
        total_points=after.total_points,
        code_status=left.status if left else None,
        reversed_by=by,
    )
    return reversal, [
        Put(after.to_item(), version(player.version)),
        *(Put(line.to_item(), ABSENT) for line in lines),
        *of_code,
    ]


def opposite(player: Player, lines: Iterable[LedgerLine], at: int) -> list[LedgerLine]:
    """The lines that take back what others gave, the last one first, as far as there are points."""
    balance, made = player.total_points, list[LedgerLine]()
    for line in reversed(list(lines)):
        points = min(line.points, balance)
        balance -= points
        made.append(
            replace(
                line,
                at=at,
                number=len(made),
                points=-points,
                balance_after=balance,
                reason="reversal",
                uncovered=line.points - points or None,
            )
        )
    return made


def _code_of(campaign: Campaign, event: PlayerEvent) -> Code | None:
    """The code that the event has won or redeemed."""
    code_hash = event.code_hash
    if code_hash is None and event.tier_won is not None:
        place = player_keys.win(event.campaign_id, event.user_id, event.at, event.event_id)
        item = store.get(place)
        if item is not None:
            secret = code_secret(campaign.account_id)
            code_hash = hash_of_code(secret, Win.from_item(item).code)
    if code_hash is None:
        return None
    item = store.get(mechanics_keys.code(campaign.account_id, code_hash))
    return Code.from_item(item) if item else None


def _withdrawn(code: Code, event: PlayerEvent) -> tuple[Code, list[Write]]:
    """The code afterwards, and the writes that make it so. One that was won and then redeemed stays
    as it is: its redemption is an event of its own. One whose redemption is taken back cannot be
    redeemed again."""
    redeemed_by_it = event.event_type == EVENT_TYPE and code.status == "REDEEMED"
    if code.status != "ACTIVE" and not redeemed_by_it:
        return code, []
    revoked = replace(code, status="REVOKED", version=code.version + 1)
    amounts = {"redeemed": -1, "revoked": 1} if redeemed_by_it else {"revoked": 1}
    return revoked, [Put(revoked.to_item(), version(code.version)), *counted(code, **amounts)]
