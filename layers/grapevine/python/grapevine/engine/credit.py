"""Giving a referral credit: one transaction, exactly once per referred participant.

The referral's version and the referrer's standing's version are both conditions. Whoever loses
reads again and decides again; a process that dies before the commit has done nothing, and after
it a retry is told that the credit has been awarded already.
"""

from __future__ import annotations

from dataclasses import dataclass

from grapevine import runtime
from grapevine.engine import referrals
from grapevine.engine.attempts import attempts
from grapevine.engine.participants.lookup import Located, Participant, load
from grapevine.engine.referrals import Terms, Triggered
from grapevine.table import keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.referrals import Referral
from grapevine.table.standings import Standing
from grapevine.table.store import Put, TransactionCanceled, Write, version


@dataclass(frozen=True, slots=True)
class Ties:
    """A participant's referral and the standing of the referrer, who is alive."""

    referral: Referral
    referrer: Standing


def ties_of(participant: Participant) -> Ties | None:
    """None when nobody referred the participant, or the referrer has been deleted."""
    profile = participant.profile
    if profile.referrer_id is None:
        return None
    return _ties(profile.campaign_id, profile.referrer_id, profile.participant_id)


def _ties(campaign_id: str, referrer_id: str, referred_id: str) -> Ties | None:
    referral_key = keys.referral(campaign_id, referrer_id, referred_id)
    standing_key = keys.standing(campaign_id, referrer_id)
    found = store.get_many([referral_key, standing_key])
    if referral_key not in found or standing_key not in found:
        return None
    referrer = Standing.from_item(found[standing_key])
    if referrer.deleted_at is not None:
        return None
    return Ties(Referral.from_item(found[referral_key]), referrer)


def writes_for(ties: Ties, after: Referral) -> list[Write]:
    """Changes the referral, and the referrer's counts where this awards the credit."""
    before = ties.referral
    changed = referrals.next_version(after)
    writes: list[Write] = [Put(changed.to_item(), version(before.version))]
    if after.status == "CREDIT_AWARDED" and before.status != "CREDIT_AWARDED":
        writes.append(credit_write(ties.referrer, after))
    return writes


def credit_write(referrer: Standing, referral: Referral) -> Put:
    """One more for the referrer, in the month that the referral was credited in."""
    if referral.credited_month is None:
        raise ValueError("the referral has not been credited")
    counted = referrer.plus_one(referral.credited_month)
    return Put(counted.to_item(), version(referrer.version))


def trigger(campaign: Campaign, located: Located, delay_days: int | None) -> Triggered:
    """Credits the referrer of a participant, now or after `delay_days`.

    Raises:
        UnknownParticipant
        Busy: too many others credit the same referrer; nothing was written.
    """
    terms = referrals.terms_of(campaign)
    participant = located.load()
    for attempt in attempts():
        if attempt:
            participant = load(campaign.campaign_id, participant.participant_id)
        ties = ties_of(participant)
        if ties is None:
            return Triggered(None, False, "Participant was not referred")
        outcome = referrals.triggered(ties.referral, delay_days, terms, runtime.now_ms())
        if outcome.referral is None or _written(ties, outcome.referral):
            return outcome
    raise AssertionError("attempts() ends by raising Busy")


def cancel(campaign: Campaign, located: Located) -> Triggered:
    """Takes back a delayed trigger whose credit has not been given yet.

    Raises:
        UnknownParticipant
        Busy
    """
    terms = referrals.terms_of(campaign)
    participant = located.load()
    for attempt in attempts():
        if attempt:
            participant = load(campaign.campaign_id, participant.participant_id)
        ties = ties_of(participant)
        if ties is None or ties.referral.award_at is None:
            return Triggered(None, False, "No delayed referral trigger is pending")
        undelayed = referrals.scheduled(ties.referral, terms)
        if _written(ties, undelayed):
            return Triggered(undelayed, True, "The delayed referral trigger was canceled.")
    raise AssertionError("attempts() ends by raising Busy")


def settle(campaign: Campaign, referral: Referral) -> bool:
    """Does what has fallen due for a referral: awards a delayed credit, or writes an expiry.

    Safe to repeat: it decides by the referral as it is stored now. False when there is nobody to
    credit: the referrer has been deleted.

    Raises:
        Busy
    """
    terms: Terms = referrals.terms_of(campaign)
    for _ in attempts():
        ties = _ties(referral.campaign_id, referral.referrer_id, referral.referred_id)
        if ties is None:
            return False
        after = referrals.settled(ties.referral, terms, runtime.now_ms())
        if after is None or _written(ties, after):
            return True
    raise AssertionError("attempts() ends by raising Busy")


def _written(ties: Ties, after: Referral) -> bool:
    try:
        store.transact(writes_for(ties, after))
    except TransactionCanceled:
        return False
    return True
