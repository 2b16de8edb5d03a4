"""What follows from an item that the stream has handed out: done by whoever takes the message.

Safe to repeat, and in any order: each consequence is known by the item that it follows from.
"""

from __future__ import annotations

from collections.abc import Callable

from grapevine.engine import credit, messages
from grapevine.engine.mechanics import linking
from grapevine.engine.mechanics.campaign import Played, played
from grapevine.engine.mechanics.listening import listening
from grapevine.engine.mechanics.occurrences import REFERRAL_CREDITED
from grapevine.engine.mechanics.recording import Answer, Incoming, record
from grapevine.engine.messages import UnknownItem
from grapevine.engine.participants.lookup import locate
from grapevine.errors import (
    CampaignNotActive,
    PlayLimitReached,
    UnknownEventType,
    UnknownParticipant,
)
from grapevine.log import log_defect
from grapevine.table import keys, player_keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.inbox import InboxEvent
from grapevine.table.ledger import PlayerEvent
from grapevine.table.referrals import Referral


def taker(answer: Answer) -> Callable[[str], None]:
    """What takes a message. `answer` makes the body that a natural key's receipt keeps: the one
    that the event is answered with where it comes again by an API that answers.

    Raises:
        Busy: what had been done by then is not done twice.
        UnknownItem
    """

    def take(message: str) -> None:
        item = store.get(messages.key_in(message))
        if item is None:
            return
        match item["type"]:
            case InboxEvent.TYPE:
                _record_everywhere(InboxEvent.from_item(item), answer)
            case PlayerEvent.TYPE:
                _credit_referrer(PlayerEvent.from_item(item))
            case Referral.TYPE:
                _record_credit(Referral.from_item(item), answer)
            case unknown:
                raise UnknownItem(unknown)

    return take


def _record_everywhere(event: InboxEvent, answer: Answer) -> None:
    """In every campaign that takes it. None waits for another: when all have been gone through, the
    first failure is raised."""
    incoming = Incoming(
        user_id=event.user_id,
        event_type=event.event_type,
        metadata=event.metadata,
        trust=event.trust,
        source="referd",
        origin=event.inbox_id,
        at=event.at,
        display_name=event.display_name,
    )
    failures: list[Exception] = []
    for game in listening(event.account_id, "referd", event.at):
        try:
            _record(game, incoming, answer)
        except Exception as failure:  # noqa: BLE001 - other campaigns must not wait for this one
            failures.append(failure)
    for further in failures[1:]:
        log_defect(further)
    if failures:
        raise failures[0]


def _credit_referrer(event: PlayerEvent) -> None:
    """The friend's referral is credited as a trigger of the API credits it: once, however many
    events qualify. Not for an event that has been taken back by now; a friend who has been deleted
    meanwhile has no referral any more."""
    campaign = _campaign(event.campaign_id)
    reversal = player_keys.reversal(event.campaign_id, event.user_id, event.event_id)
    if campaign is None or event.qualifies is None or store.get(reversal) is not None:
        return
    try:
        credit.trigger(campaign, locate(campaign.campaign_id, event.qualifies), None)
    except UnknownParticipant:
        return


def _record_credit(referral: Referral, answer: Answer) -> None:
    """For the referrer's player, if it has one and the campaign's mechanics speak of credits."""
    campaign = _campaign(referral.campaign_id)
    if campaign is None or referral.status != "CREDIT_AWARDED":
        return
    game = played(campaign, may_be_remembered=True)
    if REFERRAL_CREDITED not in game.configuration.event_types:
        return
    user_id = linking.user_of(referral.campaign_id, referral.referrer_id)
    if user_id is None:
        return
    incoming = Incoming(
        user_id=user_id,
        event_type=REFERRAL_CREDITED,
        metadata={"referredId": referral.referred_id},
        trust="server",
        source="internal",
        origin=f"credit {referral.referrer_id} {referral.referred_id}",
        at=referral.credited_at,
    )
    _record(game, incoming, answer)


def _campaign(campaign_id: str) -> Campaign | None:
    item = store.get(keys.campaign(campaign_id))
    return Campaign.from_item(item) if item else None


def _record(game: Played, incoming: Incoming, answer: Answer) -> None:
    """What the campaign refuses is passed over: there is nobody to be told."""
    try:
        record(game, incoming, answer)
    except (CampaignNotActive, PlayLimitReached, UnknownEventType):
        return
