"""Redeeming a code: it pays once, to one user, in one transaction with the player's state.

The code goes from ACTIVE to REDEEMED under its version, so of all who redeem it at the same time
one succeeds; the others read again and are told. A process that dies before the commit has done
nothing, and after it the same key gets the answer that is kept. A redemption is an event of the
player, of a type that nobody can send: it counts towards milestones, no rule pays for it, and it
can be taken back like any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from grapevine import runtime
from grapevine.engine.access import Caller
from grapevine.engine.attempts import attempts
from grapevine.engine.mechanics.campaign import Played
from grapevine.engine.mechanics.code_secret import code_secret
from grapevine.engine.mechanics.counters import Counters
from grapevine.engine.mechanics.guessing import Guesses
from grapevine.engine.mechanics.luck import Luck
from grapevine.engine.mechanics.occurrences import INTERNAL_PREFIX, Occurrence
from grapevine.engine.mechanics.outcomes import Judged, Lines, Outcome
from grapevine.engine.mechanics.periods import periods_at
from grapevine.engine.mechanics.recording import WITHIN_SECONDS, Recorded
from grapevine.engine.mechanics.repeating import Repetition
from grapevine.engine.mechanics.win_codes import hash_of_code, normalised
from grapevine.errors import CodeNotRedeemable, NotAuthorized, NotFound
from grapevine.table import mechanics_keys, player_keys, store
from grapevine.table.codes import Code, counted
from grapevine.table.ledger import Win
from grapevine.table.player_counts import one_more_player
from grapevine.table.players import Player, new_player
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, Put, Write, version

EVENT_TYPE = f"{INTERNAL_PREFIX}code_redeemed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """What is asked for; `key` is the client's own for this request."""

    user_id: str
    code: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Redeemed:
    """`code` as it was made; `prize_tier` is the name of the prize whose code it is."""

    code: str
    outcome: Outcome
    prize_tier: str | None


Answer = Callable[[Redeemed], str]


def redeem(played: Played, caller: Caller, wanted: Redemption, answer: Answer) -> Recorded:
    """Pays what the code is worth, or says what was answered before. `answer` makes the body to
    send, which is kept. A win's code can be redeemed after its campaign has ended, a batch's only
    while the campaign takes events.

    Raises:
        KeyReused: the key came before with another request.
        LimitReached: too many codes that do not exist.
        NotFound: there is no such code in this campaign.
        NotAuthorized: it is the code of somebody else's win.
        CampaignNotActive: it takes no events now.
        CodeNotRedeemable: it has been redeemed or revoked, or has expired.
        Busy: nothing was written.
    """
    campaign, at = played.campaign, runtime.now_ms()
    campaign_id = campaign.campaign_id
    text = normalised(wanted.code)
    code_hash = hash_of_code(code_secret(campaign.account_id), text)
    code_key = mechanics_keys.code(campaign.account_id, code_hash)
    player_key = player_keys.player(campaign_id, wanted.user_id)
    repetition = Repetition.of(campaign_id, "redeem", wanted.key, wanted.user_id, code_hash)
    guesses = Guesses.redeeming(caller, campaign_id, wanted.user_id)
    luck = Luck()
    for _ in attempts(WITHIN_SECONDS):
        found = store.get_many([*repetition.keys(), code_key, player_key, guesses.key])
        first = repetition.first(found)
        if first is not None:
            return Recorded(first.body, True)
        guesses.refuse_if_too_many(found)
        code = Code.from_item(found[code_key]) if code_key in found else None
        if code is None or code.campaign_id != campaign_id:
            raise _unknown(guesses)
        _refuse_unless_redeemable(played, code, wanted.user_id, at, guesses)
        player = Player.from_item(found[player_key]) if player_key in found else None
        outcome = _outcome(played, player, code, wanted.user_id, at, luck)
        if player is not None and luck.remember(luck.reminded(player), outcome):
            continue
        body = answer(Redeemed(text, outcome, _tier_name(code)))
        receipts = repetition.receipts(outcome.event.event_id, body, at)
        writes = [Put(each.to_item(), ABSENT) for each in receipts]
        try:
            store.transact([*writes, *_writes(player, outcome, code, at)])
        except TransactionCanceled as lost:
            if {each.key for each in counted(code)} & lost.failed:
                # Its batch was never finished, so nobody was ever shown it.
                raise _unknown(guesses) from None
            luck.learn(outcome, lost.failed)
            continue
        return Recorded(body, False)
    raise AssertionError("attempts() ends by raising Busy")


def _unknown(guesses: Guesses) -> NotFound:
    guesses.count()
    return NotFound("Code not found")


def _refuse_unless_redeemable(
    played: Played, code: Code, user_id: str, at: int, guesses: Guesses
) -> None:
    if code.user_id is not None and code.user_id != user_id:
        guesses.count()
        raise NotAuthorized("Code belongs to another user")
    if code.batch_id is not None:
        played.require_active(at)
    status = code.status_at(at)
    if status != "ACTIVE":
        raise CodeNotRedeemable(status)


def _tier_name(code: Code) -> str | None:
    if code.user_id is None or code.event_id is None:
        return None
    place = player_keys.win(code.campaign_id, code.user_id, code.created_at, code.event_id)
    item = store.get(place)
    return Win.from_item(item).tier_name if item else None


def _outcome(
    played: Played, player: Player | None, code: Code, user_id: str, at: int, luck: Luck
) -> Outcome:
    configuration = played.configuration
    occurrence = Occurrence(
        event_id=event_id_of(code),
        user_id=user_id,
        event_type=EVENT_TYPE,
        metadata={},
        at=player.next_at(at) if player else at,
        trust="server",
        source="internal",
    )
    before = luck.reminded(player or new_player(code.campaign_id, user_id, occurrence.at))
    periods = periods_at(occurrence.at, configuration.timezone)
    counters = Counters(before.counters)
    lines = Lines(before, occurrence)
    lines.add("code", code.batch_id or code.tier_id or "", code.points_value)
    judged = Judged(configuration, played.config_version, before, occurrence, periods)
    outcome = judged.finished(counters, lines)
    return replace(outcome, event=replace(outcome.event, code_hash=code.code_hash))


def event_id_of(code: Code) -> str:
    """A code is redeemed by one event only, so that it cannot be two."""
    text = f"redeemed\n{code.campaign_id}\n{code.code_hash}"
    return f"evt_{hashlib.sha256(text.encode()).hexdigest()[:24]}"


def _writes(player: Player | None, outcome: Outcome, code: Code, at: int) -> list[Write]:
    user_id = outcome.player.user_id
    redeemed = replace(
        code, status="REDEEMED", version=code.version + 1, redeemed_at=at, redeemed_by=user_id
    )
    writes: list[Write] = [
        Put(outcome.player.to_item(), version(player.version) if player else ABSENT),
        Put(outcome.event.to_item(), ABSENT),
        *(Put(line.to_item(), ABSENT) for line in outcome.lines),
        *(Put(award.to_item(), ABSENT) for award in outcome.awards),
        Put(redeemed.to_item(), version(code.version)),
        *counted(code, redeemed=1),
    ]
    if player is None:
        writes.append(one_more_player(code.campaign_id, user_id))
    return writes
