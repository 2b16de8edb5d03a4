"""Giving a referral credit: one transaction, exactly once per referred participant.

The referral's version and the referrer's standing's version are both conditions, and in a campaign
that refuses referrers of a high risk of fraud the referrer's profile's, too. Whoever loses
reads again and decides again; a process that dies before the commit has done nothing, and after
it a retry is told that the credit has been awarded already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from grapevine import runtime
from grapevine.engine import referrals, triggers
from grapevine.engine.attempts import attempts
from grapevine.engine.parallel import in_parallel
from grapevine.engine.participants.lookup import Located, Participant, load
from grapevine.engine.rewards.earning import Grants, Offer, earnings_in, offer_of
from grapevine.engine.terms import Terms, terms_of
from grapevine.engine.triggers import Triggered
from grapevine.table import keys, store
from grapevine.table.attributes import Item
from grapevine.table.campaigns import Campaign
from grapevine.table.keys import Key
from grapevine.table.participants import Profile
from grapevine.table.referrals import Referral
from grapevine.table.rewards import Earnings
from grapevine.table.standings import Standing
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, Check, Put, Write, version


@dataclass(frozen=True, slots=True)
class Referrer:
    """A referrer who is alive: the counts that a credit raises, what was earned so far, and who it
    is."""

    standing: Standing
    earnings: Earnings
    profile: Profile


@dataclass(frozen=True, slots=True)
class Ties:
    """A participant's referral, with both who can earn by it."""

    referral: Referral
    referrer: Referrer
    referred_earnings: Earnings


def find_referrer(campaign_id: str, participant_id: str) -> Referrer | None:
    """None when the participant has been deleted."""
    found = store.get_many(_referrer_keys(campaign_id, participant_id))
    return _referrer_in(found, campaign_id, participant_id)


def _referrer_keys(campaign_id: str, referrer_id: str) -> list[Key]:
    return [
        keys.standing(campaign_id, referrer_id),
        keys.earnings(campaign_id, referrer_id),
        keys.profile(campaign_id, referrer_id),
    ]


def _referrer_in(found: Mapping[Key, Item], campaign_id: str, referrer_id: str) -> Referrer | None:
    item = found.get(keys.standing(campaign_id, referrer_id))
    profile = found.get(keys.profile(campaign_id, referrer_id))
    if item is None or (standing := Standing.from_item(item)).deleted_at is not None:
        return None
    if profile is None:
        return None
    earnings = earnings_in(found, campaign_id, referrer_id)
    return Referrer(standing, earnings, Profile.from_item(profile))


def ties_of(participant: Participant) -> Ties | None:
    """None when nobody referred the participant, or the referrer has been deleted."""
    profile = participant.profile
    if profile.referrer_id is None:
        return None
    return _ties(profile.campaign_id, profile.referrer_id, profile.participant_id)


def _ties(campaign_id: str, referrer_id: str, referred_id: str) -> Ties | None:
    referral_key = keys.referral(campaign_id, referrer_id, referred_id)
    friend_key = keys.earnings(campaign_id, referred_id)
    found = store.get_many([referral_key, friend_key, *_referrer_keys(campaign_id, referrer_id)])
    referrer = _referrer_in(found, campaign_id, referrer_id)
    if referral_key not in found or referrer is None:
        return None
    friend = earnings_in(found, campaign_id, referred_id)
    return Ties(Referral.from_item(found[referral_key]), referrer, friend)


def writes_for(
    ties: Ties, after: Referral, offer: Offer, terms: Terms, reviewed: Profile | None = None
) -> list[Write]:
    """Changes the referral, with what the friend earns by joining where that has been owed until
    now, and where this awards the credit, all that goes with it. `reviewed` is the friend, where
    nothing else of the transaction holds on to its level: what was held back is only released while
    the friend is as it was read."""
    before = ties.referral
    grants = Grants(offer)
    if before.owes_signup and not after.owes_signup:
        grants.signup(ties.referred_earnings, after)
    changed = referrals.next_version(after)
    writes: list[Write] = [Put(changed.to_item(), version(before.version))]
    if before.held and not after.held and reviewed:
        writes.append(Check(reviewed.key, version(reviewed.version)))
    if after.status == "CREDIT_AWARDED" and before.status != "CREDIT_AWARDED":
        return writes + _credit_writes(ties.referrer, after, ties.referred_earnings, grants, terms)
    return writes + grants.writes()


def writes_for_new(
    referrer: Referrer, referral: Referral, friend: Earnings, offer: Offer, terms: Terms
) -> list[Write]:
    """Writes the referral of somebody who has just got a referrer, with what the friend earns by
    joining, and the credit where it is given at once. While it is held back, nobody earns."""
    grants = Grants(offer)
    if terms.gives_credit and referral.status != "CREDIT_EXPIRED" and not referral.held:
        grants.signup(friend, referral)
    writes: list[Write] = [Put(referral.to_item(), ABSENT)]
    if referral.status == "CREDIT_AWARDED":
        return writes + _credit_writes(referrer, referral, friend, grants, terms)
    return writes + grants.writes()


def _credit_writes(
    referrer: Referrer, referral: Referral, friend: Earnings, grants: Grants, terms: Terms
) -> list[Write]:
    """One more for the referrer, in the month that the referral was credited in, and what both
    earn by it. Where a high risk of fraud would refuse it, the referrer must still be as it was
    read: its level may be another one meanwhile."""
    if referral.credited_month is None:
        raise ValueError("the referral has not been credited")
    counts = referrer.standing.plus_one(referral.credited_month)
    grants.credit(referral, counts, referrer.earnings, friend)
    writes: list[Write] = [Put(counts.to_item(), version(referrer.standing.version))]
    if terms.refuses_high_risk:
        writes.append(Check(referrer.profile.key, version(referrer.profile.version)))
    return [*writes, *grants.writes()]


def trigger(campaign: Campaign, located: Located, delay_days: int | None) -> Triggered:
    """Credits the referrer of a participant, now or after `delay_days`.

    Raises:
        UnknownParticipant
        Busy: too many others credit the same referrer; nothing was written.
    """
    terms = terms_of(campaign)
    participant = located.load()
    for attempt in attempts():
        if attempt:
            participant = load(campaign.campaign_id, participant.participant_id)
        ties, offer = _ties_and_offer(campaign, partial(ties_of, participant))
        if ties is None:
            return Triggered(None, False, "Participant was not referred")
        decisive = terms.towards(ties.referrer.profile).about(participant.profile)
        outcome = triggers.triggered(ties.referral, delay_days, decisive, runtime.now_ms())
        if outcome.referral is None or _written(
            ties, outcome.referral, offer, terms, participant.profile
        ):
            return outcome
    raise AssertionError("attempts() ends by raising Busy")


def cancel(campaign: Campaign, located: Located) -> Triggered:
    """Takes back a delayed trigger whose credit has not been given yet.

    Raises:
        UnknownParticipant
        Busy
    """
    terms = terms_of(campaign)
    participant = located.load()
    for attempt in attempts():
        if attempt:
            participant = load(campaign.campaign_id, participant.participant_id)
        ties, offer = _ties_and_offer(campaign, partial(ties_of, participant))
        undelayed = triggers.cancelled(ties.referral, terms) if ties else None
        if ties is None or undelayed is None:
            return Triggered(None, False, "No delayed referral trigger is pending")
        if _written(ties, undelayed, offer, terms):
            return Triggered(undelayed, True, "The delayed referral trigger was canceled.")
    raise AssertionError("attempts() ends by raising Busy")


def settle(campaign: Campaign, referral: Referral) -> bool:
    """Does what has fallen due for a referral: awards a delayed credit, or writes an expiry.

    Safe to repeat: it decides by the referral as it is stored now. False when there is nobody to
    credit: the referrer has been deleted.

    Raises:
        Busy
    """
    terms = terms_of(campaign)
    for _ in attempts():
        tied = (referral.campaign_id, referral.referrer_id, referral.referred_id)
        ties, offer = _ties_and_offer(campaign, partial(_ties, *tied))
        if ties is None:
            return False
        towards = terms.towards(ties.referrer.profile)
        after = referrals.settled(ties.referral, towards, runtime.now_ms())
        if after is None or _written(ties, after, offer, terms):
            return True
    raise AssertionError("attempts() ends by raising Busy")


def _ties_and_offer(
    campaign: Campaign, read_ties: Callable[[], Ties | None]
) -> tuple[Ties | None, Offer]:
    # The two results have different types, which a list of calls cannot say.
    results: list[Any] = in_parallel([read_ties, partial(offer_of, campaign)])
    return results[0], results[1]


def _written(
    ties: Ties, after: Referral, offer: Offer, terms: Terms, reviewed: Profile | None = None
) -> bool:
    try:
        store.transact(writes_for(ties, after, offer, terms, reviewed))
    except TransactionCanceled:
        return False
    return True
