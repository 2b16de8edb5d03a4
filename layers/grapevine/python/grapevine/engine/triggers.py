"""What a trigger does to a referral, and what takes a delayed one back, as pure rules."""

from __future__ import annotations

from dataclasses import dataclass, replace

from grapevine.engine import referrals
from grapevine.engine.terms import Terms
from grapevine.months import DAY_MS
from grapevine.table.referrals import Referral


@dataclass(frozen=True, slots=True)
class Triggered:
    """What a trigger does: the referral as it should become (None: nothing to write) and what the
    caller is told."""

    referral: Referral | None
    success: bool
    message: str


def triggered(referral: Referral, delay_days: int | None, terms: Terms, now: int) -> Triggered:
    """The outcome of `POST …/ref`; state conflicts are answers, not errors (growsurf).

    A second trigger of a delayed credit awards it now, or moves the date when it brings a delay.
    """
    match referrals.status_at(referral, terms, now):
        case "CREDIT_AWARDED":
            return Triggered(None, False, "Referral credit has already been awarded")
        case "CREDIT_EXPIRED" if referral.status == "CREDIT_PENDING":
            # The API answers success here although nobody is credited.
            message = "The referral credit window has passed, no referral credit was awarded."
            return Triggered(referrals.expired(referral, now), True, message)
        case "CREDIT_EXPIRED":
            return Triggered(None, False, "Referral credit has expired")
    if (refusal := _not_now(referral, delay_days, terms, now)) is not None:
        return refusal
    if referral.held:
        referral = referrals.released(referral, terms, now)
    if delay_days and referral.status == "CREDIT_PENDING":
        later = referrals.delayed(replace(referral, updated_at=now), now + delay_days * DAY_MS)
        days = "1 day" if delay_days == 1 else f"{delay_days} days"
        return Triggered(later, True, f"Referral credit will be awarded in {days}.")
    return Triggered(
        referrals.awarded(referral, now), True, "Successfully awarded referral credit."
    )


def _not_now(
    referral: Referral, delay_days: int | None, terms: Terms, now: int
) -> Triggered | None:
    """Why a pending referral is not credited; None when it can be. A credit that is owed at once,
    by an earlier trigger or by the sign-up, is not put off by a later trigger."""
    if not terms.is_live:
        message = "Referral credit is only awarded while the campaign is in progress"
        return Triggered(None, False, message)
    if referral.held and terms.is_friend_risky:
        is_owed_at_once = referral.held == "AWARD" and referral.award_at is None
        award_at = None if is_owed_at_once or not delay_days else now + delay_days * DAY_MS
        remembered = referrals.held_back(referral, owed=True, award_at=award_at)
        message = "Referral credit is held back until the participant's fraud risk is reviewed."
        return Triggered(referrals.unless_same(referral, remembered), False, message)
    if not terms.gives_credit:
        return Triggered(None, False, "Referral credit is not awarded to a high-risk referrer")
    return None


def cancelled(referral: Referral, terms: Terms) -> Referral | None:
    """Without the delayed trigger, as before it; None when there is none."""
    if referral.award_at is None:
        return None
    if referral.held:
        return referrals.held_back(referral, owed=False)
    return referrals.scheduled(referral, terms)
