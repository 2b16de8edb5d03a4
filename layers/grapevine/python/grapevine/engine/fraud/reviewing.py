"""Why a participant has its fraud risk level, and an operator's word on it.

An override is one transaction: the profile, the report with its history, and, where the
participant's own referral is held back and it is found harmless, the referral with all that a
credit writes. Dying before it has changed nothing; the same request after it finds the level
set and writes nothing.

A referrer who was refused for its own risk, and is so no more, then gets the credits for friends
who have been found harmless meanwhile, each in a transaction of its own. Dying in between leaves
the rest held back; the same request gives it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from grapevine import runtime
from grapevine.engine import credit, referrals
from grapevine.engine.attempts import attempts
from grapevine.engine.credit import Ties
from grapevine.engine.fraud import reports
from grapevine.engine.participants.lookup import Located, Participant, load
from grapevine.engine.rewards.earning import Offer, offer_of
from grapevine.engine.terms import terms_of
from grapevine.errors import UnknownParticipant
from grapevine.table import fraud_keys, keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.fraud import FraudReport, Level
from grapevine.table.participants import Profile
from grapevine.table.referrals import Referral, owed_by_hold
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, Check, Put, Write, version

MOST_PENDING = 1000
"""Among how many pending referrals of a referrer, those that changed last, one word on it looks for
credits to release."""

MOST_RELEASED = 25
"""How many it releases; the same word again goes on."""

_SECONDS_EACH = 2.0
"""For each of them, while others credit the same referrer."""


@dataclass(frozen=True, slots=True)
class Review:
    """What is known of a participant; `report` is None where no rule has found anything and nobody
    has decided. `is_held`: its referral waits for a decision."""

    profile: Profile
    report: FraudReport | None
    is_held: bool


def review(located: Located) -> Review:
    """Raises UnknownParticipant."""
    participant = located.load()
    ties = credit.ties_of(participant)
    return Review(participant.profile, _report_of(participant), _is_held(ties))


def override(campaign: Campaign, located: Located, level: Level, note: str | None) -> Review:
    """The participant after an operator has decided on its level.

    LOW releases a referral that is held back: it becomes what it would have become without. With
    MEDIUM and HIGH it stays held, and so does a credit that cannot be given at the moment.

    Raises:
        UnknownParticipant
        Busy: nothing was written, or some of the friends' credits are still held back.
    """
    participant = located.load()
    for attempt in attempts():
        if attempt:
            participant = load(campaign.campaign_id, participant.participant_id)
        decided = _try_to_decide(campaign, participant, level, note)
        if decided is not None:
            _release_friends(campaign, decided.profile)
            return decided
    raise AssertionError("attempts() ends by raising Busy")


def _try_to_decide(
    campaign: Campaign, participant: Participant, level: Level, note: str | None
) -> Review | None:
    """None when somebody else was in the way."""
    report, ties = _report_of(participant), credit.ties_of(participant)
    released = _released(campaign, ties) if ties and level == "LOW" else None
    if not released and _says_the_same(participant.profile, report, level, note):
        return Review(participant.profile, report, _is_held(ties))
    profile, decided = _decided(participant.profile, report, level, note)
    writes: list[Write] = [
        Put(profile.to_item(), version(participant.profile.version)),
        Put(decided.to_item(), version(report.version) if report else ABSENT),
    ]
    if ties and released:
        writes += credit.writes_for(ties, released, offer_of(campaign), terms_of(campaign))
    elif ties and ties.referral.held and level == "LOW":
        # Of two words at once, on the friend and on its referrer, one must see the other.
        referrer = ties.referrer.profile
        writes.append(Check(referrer.key, version(referrer.version)))
    try:
        store.transact(writes)
    except TransactionCanceled:
        return None
    after = replace(ties, referral=released) if ties and released else ties
    return Review(profile, decided, _is_held(after))


def _release_friends(campaign: Campaign, referrer: Profile) -> None:
    """Gives the credits that waited for the referrer alone."""
    if not terms_of(campaign).refuses_high_risk or referrer.fraud_risk_level == "HIGH":
        return
    campaign_id = referrer.campaign_id
    owed = owed_by_hold(campaign_id, referrer.participant_id, MOST_PENDING)
    friends = store.get_many(keys.profile(campaign_id, each.referred_id) for each in owed)
    harmless = [key for key, item in friends.items() if _is_harmless(Profile.from_item(item))]
    offer = offer_of(campaign)
    for key in harmless[:MOST_RELEASED]:
        _release(campaign, offer, Profile.from_item(friends[key]).participant_id)


def _is_harmless(friend: Profile) -> bool:
    return friend.fraud_risk_level == "LOW"


def _release(campaign: Campaign, offer: Offer, friend_id: str) -> None:
    """Nothing where the friend has been deleted or found risky meanwhile."""
    for _ in attempts(_SECONDS_EACH):
        try:
            friend = load(campaign.campaign_id, friend_id)
        except UnknownParticipant:
            return
        ties = credit.ties_of(friend) if _is_harmless(friend.profile) else None
        after = _released(campaign, ties) if ties else None
        if ties is None or after is None:
            return
        try:
            store.transact(
                credit.writes_for(ties, after, offer, terms_of(campaign), friend.profile)
            )
        except TransactionCanceled:
            continue
        return


def _report_of(participant: Participant) -> FraudReport | None:
    profile = participant.profile
    item = store.get(fraud_keys.fraud_report(profile.campaign_id, profile.participant_id))
    return FraudReport.from_item(item) if item else None


def _is_held(ties: Ties | None) -> bool:
    return ties is not None and ties.referral.held is not None


def _says_the_same(
    profile: Profile, report: FraudReport | None, level: Level, note: str | None
) -> bool:
    if report is None or not report.history or profile.fraud_reason_code != reports.BY_HAND:
        return False
    last = report.history[-1]
    return bool(profile.fraud_risk_level == level and last.get("note") == note)


def _decided(
    before: Profile, report: FraudReport | None, level: Level, note: str | None
) -> tuple[Profile, FraudReport]:
    """A word that leaves the level as it was is no change of it: nobody is told."""
    now = runtime.now_ms()
    profile, after = reports.changed(
        before, report, level, reports.BY_HAND, now, note=note, by="operator"
    )
    if level == before.fraud_risk_level:
        profile = replace(profile, fraud_changed_at=before.fraud_changed_at)
    number = report.version + 1 if report else 0
    return replace(profile, version=before.version + 1), replace(after, version=number)


def _released(campaign: Campaign, ties: Ties) -> Referral | None:
    """None where nothing was held back that can be released."""
    terms = terms_of(campaign).towards(ties.referrer.profile)
    after = referrals.released(ties.referral, terms, runtime.now_ms())
    return None if after == ties.referral else after
