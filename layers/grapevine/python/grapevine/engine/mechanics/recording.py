"""An event of a campaign, recorded and rewarded in one transaction, exactly once.

Whoever loses to another request reads again and judges again, by the same event id: so the draw is
the same, and no second one can be had by trying. A process that dies before the commit has done
nothing; after it, the same request is answered from its receipt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.mechanics.campaign import Played, up_to_date
from grapevine.engine.mechanics.campaign import played as read_again
from grapevine.engine.mechanics.code_secret import code_secret
from grapevine.engine.mechanics.counters import Counters
from grapevine.engine.mechanics.draws import draw_value
from grapevine.engine.mechanics.evaluating import evaluate
from grapevine.engine.mechanics.hiding import found_at, hidden_prize
from grapevine.engine.mechanics.instant_win import Chance, draws_at, may_win
from grapevine.engine.mechanics.luck import Luck
from grapevine.engine.mechanics.moments import Moment
from grapevine.engine.mechanics.natural_keys import natural_key
from grapevine.engine.mechanics.occurrences import Occurrence
from grapevine.engine.mechanics.outcomes import Outcome, Won
from grapevine.engine.mechanics.receipts import Identity, fingerprint_of
from grapevine.engine.mechanics.win_codes import hash_of_code, win_code
from grapevine.table import mechanics_keys, player_keys, store
from grapevine.table.codes import Code
from grapevine.table.keys import Key
from grapevine.table.ledger import Source, Trust, Win
from grapevine.table.mechanics import one_of_day, one_of_stock
from grapevine.table.moments import taken
from grapevine.table.player_counts import one_more_player
from grapevine.table.players import Player, new_player
from grapevine.table.receipts import Receipt
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, Put, Write, version

WITHIN_SECONDS = 10.0
"""For how long an event that keeps losing to others is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """An event as it was sent. `key` is the client's own: the same event has the same. `origin` is
    our own for an event that follows from something in the table; no client can send it. `at` (ms)
    is when it came, where that was before now. A `display_name` changes the player's."""

    user_id: str
    event_type: str
    metadata: Mapping[str, Any]
    trust: Trust
    source: Source
    key: str | None = None
    origin: str | None = None
    at: int | None = None
    display_name: str | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """`body` is the answer; `is_replay` says that it had been given before."""

    body: str
    is_replay: bool


Answer = Callable[[Outcome, Win | None], str]


def record(played: Played, incoming: Incoming, answer: Answer) -> Recorded:
    """Takes the event, or says what it was answered before. `answer` makes the body to send, which
    is kept with the event.

    Raises:
        KeyReused: the key came before with another event.
        CampaignNotActive: it takes no events now, or none that come this way.
        PlayLimitReached, UnknownEventType: as the mechanics say.
        Busy: nothing was written.
    """
    played = up_to_date(played)
    at = incoming.at if incoming.at is not None else runtime.now_ms()
    identity = _identity(played, incoming, at)
    occurrence = _occurrence(incoming, identity.event_id, at)
    place = player_keys.player(identity.campaign_id, incoming.user_id)
    was_accepted = incoming.at is not None
    luck = Luck()
    for _ in attempts(WITHIN_SECONDS):
        found = store.get_many([*identity.keys(), place])
        before = identity.first(found)
        if before is not None:
            anew = identity.named_anew(before, at)
            if anew is not None and not _is_kept(anew):
                continue
            return Recorded(before.body, True)
        played.require_open_to(incoming.source, at, was_accepted=was_accepted)
        player = Player.from_item(found[place]) if place in found else None
        if player is not None:
            occurrence = replace(occurrence, at=player.next_at(at))
        before_it = luck.reminded(_named(player, incoming, at, played))
        outcome = _judged(played, before_it, occurrence, luck)
        if luck.remember(before_it, outcome):
            continue
        win = _win(played, occurrence, outcome.win, luck) if outcome.win else None
        body = answer(outcome, win)
        writes = [Put(one.to_item(), ABSENT) for one in identity.receipts(body, at)]
        try:
            store.transact([*writes, *_writes(played, player, outcome, win)])
        except TransactionCanceled as lost:
            newer = _newer(played, outcome, lost.failed)
            if newer is None:
                luck.learn(outcome, lost.failed)
            played = newer or played
            continue
        return Recorded(body, False)
    raise AssertionError("attempts() ends by raising Busy")


def _is_kept(receipt: Receipt) -> bool:
    """Whether it was written; another request with the same key may have been faster."""
    try:
        return store.put(receipt.to_item(), ABSENT)
    except TransactionCanceled:
        return False


def _identity(played: Played, incoming: Incoming, at: int) -> Identity:
    natural = natural_key(played.configuration, _occurrence(incoming, "", at))
    fingerprint = fingerprint_of(incoming.user_id, incoming.event_type, incoming.metadata)
    return Identity.of(
        played.campaign.campaign_id,
        explicit=incoming.key,
        origin=incoming.origin,
        natural=natural,
        fingerprint=fingerprint,
        trust=incoming.trust,
    )


def _occurrence(incoming: Incoming, event_id: str, at: int) -> Occurrence:
    return Occurrence(
        event_id=event_id,
        user_id=incoming.user_id,
        event_type=incoming.event_type,
        metadata=incoming.metadata,
        at=at,
        trust=incoming.trust,
        source=incoming.source,
    )


def _named(player: Player | None, incoming: Incoming, at: int, played: Played) -> Player:
    """The player before the event, a new one where there is none, with the name that came."""
    before = player or new_player(played.campaign.campaign_id, incoming.user_id, at)
    if incoming.display_name is None:
        return before
    return replace(before, display_name=incoming.display_name)


def _judged(played: Played, player: Player, occurrence: Occurrence, luck: Luck) -> Outcome:
    """By moments, the oldest whose prize the player may win is looked for page by page; not for
    who may win none."""
    campaign_id, instant_win = played.campaign.campaign_id, played.configuration.instant_win
    if instant_win is None or instant_win.mode == "odds" or not draws_at(instant_win, occurrence):
        return _judged_with(played, player, occurrence, luck, None)
    if not may_win(instant_win, Counters(player.counters)):
        return _judged_with(played, player, occurrence, luck, [])
    lost: Outcome | None = None
    for page in found_at(campaign_id, played.mechanics, instant_win, occurrence.at):
        outcome = _judged_with(played, player, occurrence, luck, luck.left_of(page))
        if outcome.win is not None:
            return outcome
        lost = lost or outcome
    if lost is None:
        raise LookupError("there is always a page of moments")
    return lost


def _judged_with(
    played: Played,
    player: Player,
    occurrence: Occurrence,
    luck: Luck,
    moments: list[Moment] | None,
) -> Outcome:
    campaign_id = played.campaign.campaign_id
    drawn = None
    if played.mechanics is not None:
        drawn = draw_value(played.mechanics.draw_secret, campaign_id, occurrence.event_id)
    chance = Chance(
        draw_value=drawn,
        secret_number=played.mechanics.secret_number if played.mechanics else None,
        moments=moments,
        sold_out=frozenset(luck.sold_out),
        spent_today=frozenset(luck.spent_today),
    )
    return evaluate(
        played.configuration,
        played.config_version,
        player,
        occurrence,
        chance,
    )


def _win(played: Played, occurrence: Occurrence, won: Won, luck: Luck) -> Win:
    campaign, instant_win = played.campaign, played.configuration.instant_win
    if instant_win is None:
        raise LookupError("a prize was won where there is no instant win")
    secret = code_secret(campaign.account_id)
    slug = campaign.slug or campaign.campaign_id
    code = win_code(secret, slug, occurrence.event_id, luck.codes_taken, instant_win.win_code)
    return Win(
        campaign_id=campaign.campaign_id,
        user_id=occurrence.user_id,
        event_id=occurrence.event_id,
        at=occurrence.at,
        tier_id=won.tier_id,
        tier_name=won.tier_name,
        points=won.points,
        credit=won.credit,
        code=code,
        expires_at=won.expires_at,
    )


def _writes(
    played: Played, player: Player | None, outcome: Outcome, win: Win | None
) -> list[Write]:
    unchanged = version(player.version) if player else ABSENT
    writes: list[Write] = [
        Put(outcome.player.to_item(), unchanged),
        Put(outcome.event.to_item(), ABSENT),
        *(Put(line.to_item(), ABSENT) for line in outcome.lines),
        *(Put(award.to_item(), ABSENT) for award in outcome.awards),
    ]
    if player is None:
        writes.append(one_more_player(outcome.player.campaign_id, outcome.player.user_id))
    if outcome.win is not None and win is not None:
        writes += _writes_of_win(played, outcome.win, win)
    return writes


def _writes_of_win(played: Played, won: Won, win: Win) -> list[Write]:
    campaign = played.campaign
    writes: list[Write] = []
    if won.moment is not None:
        writes.append(taken(hidden_prize(campaign.campaign_id, won.moment)))
    writes.append(one_of_stock(campaign.campaign_id, won.tier_id, won.per_day))
    if won.per_day is not None:
        writes.append(one_of_day(campaign.campaign_id, won.tier_id, won.day, won.per_day))
    code = Code(
        account_id=campaign.account_id,
        code_hash=hash_of_code(code_secret(campaign.account_id), win.code),
        campaign_id=campaign.campaign_id,
        points_value=won.code_points,
        created_at=win.at,
        expires_at=win.expires_at,
        user_id=win.user_id,
        event_id=win.event_id,
        tier_id=win.tier_id,
    )
    return [*writes, Put(win.to_item(), ABSENT), Put(code.to_item(), ABSENT)]


def _newer(played: Played, outcome: Outcome, failed: frozenset[Key]) -> Played | None:
    """What was saved meanwhile, where a prize's stock refused: its limits may be other ones."""
    campaign_id, won = played.campaign.campaign_id, outcome.win
    if won is None or mechanics_keys.stock(campaign_id, won.tier_id) not in failed:
        return None
    now = read_again(played.campaign)
    return now if now.config_version != played.config_version else None
