"""The states of a referral credit, as pure rules: a referral and the time in, the next one out.

    (none) --referrer set--> CREDIT_PENDING --trigger or update--> CREDIT_AWARDED (for good)
                                |      ^
       window passed or update  v      | update
                             CREDIT_EXPIRED

A delayed credit stays CREDIT_PENDING with the time it falls due. The credit window is compared
with the clock wherever a referral is read, so an expired credit reads as such at once; the sweep
or the next trigger writes it down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from grapevine.engine.program import installation_of, options_of
from grapevine.months import DAY_MS, month_at
from grapevine.table.campaigns import Campaign
from grapevine.table.due import shard_of
from grapevine.table.participants import Profile
from grapevine.table.referrals import Referral, ReferralStatus

EntryStatus = Literal["CREDIT_PENDING", "CREDIT_AWARDED"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What of the campaign decides about a credit. `window_ms` is None where none applies.
    `refuses_high_risk`: referrers of a HIGH fraud risk get no credit; `is_referrer_refused` is
    whether this referrer is one of them."""

    credits_at_signup: bool
    is_live: bool
    window_ms: int | None
    refuses_high_risk: bool = False
    is_referrer_refused: bool = False

    @property
    def gives_credit(self) -> bool:
        return self.is_live and not self.is_referrer_refused

    def towards(self, referrer: Profile) -> Terms:
        """The terms for one referrer."""
        is_refused = self.refuses_high_risk and referrer.fraud_risk_level == "HIGH"
        return replace(self, is_referrer_refused=is_refused)


def terms_of(campaign: Campaign) -> Terms:
    at_signup = installation_of(campaign).referral_trigger == "ON_SIGNUP"
    options = options_of(campaign)
    days = None if at_signup else options.referral_credit_window_days
    return Terms(
        at_signup,
        campaign.is_in_progress,
        days * DAY_MS if days else None,
        options.fraud.block_high_risk_referrers,
    )


def opened(
    friend: Profile,
    referrer_id: str,
    *,
    requested: ReferralStatus | None,
    terms: Terms,
    now: int,
) -> Referral:
    """The referral of a participant, `friend`, who has just got a referrer.

    Without a requested status the campaign's trigger decides, and the credit window counts from
    the day the participant joined, so somebody who joined before it is CREDIT_EXPIRED at once.
    A credit is only given while the campaign is in progress; until then it is pending.
    """
    pending = Referral(
        campaign_id=friend.campaign_id,
        referrer_id=referrer_id,
        referred_id=friend.participant_id,
        email=friend.email,
        first_name=friend.first_name,
        last_name=friend.last_name,
        status="CREDIT_PENDING",
        created_at=now,
        updated_at=now,
        pending_since=now if requested else friend.created_at,
    )
    if requested == "CREDIT_EXPIRED":
        return replace(pending, status="CREDIT_EXPIRED")
    if requested == "CREDIT_AWARDED" or (requested is None and terms.credits_at_signup):
        return awarded(pending, now) if terms.gives_credit else scheduled(pending, terms)
    if requested is None and _window_passed(pending, terms, now):
        return replace(pending, status="CREDIT_EXPIRED")
    return scheduled(pending, terms)


def status_at(referral: Referral, terms: Terms, now: int) -> ReferralStatus:
    """The status to show: a pending credit whose window has passed reads as expired."""
    if referral.status == "CREDIT_PENDING" and _window_passed(referral, terms, now):
        return "CREDIT_EXPIRED"
    return referral.status


def _window_passed(referral: Referral, terms: Terms, now: int) -> bool:
    """A delayed credit has met the window on the day it was triggered; one that is held back waits
    for as long as it takes."""
    if terms.window_ms is None or referral.award_at is not None or referral.held:
        return False
    return now >= referral.pending_since + terms.window_ms


def awarded(referral: Referral, now: int) -> Referral:
    """With its credit given at `now`; the referrer's counts change in the same transaction."""
    return replace(
        referral,
        status="CREDIT_AWARDED",
        updated_at=now,
        credited_at=now,
        credited_month=month_at(now),
        award_at=None,
        held=None,
        due_at=None,
        due_shard=None,
    )


def expired(referral: Referral, now: int) -> Referral:
    return replace(
        referral,
        status="CREDIT_EXPIRED",
        updated_at=now,
        award_at=None,
        held=None,
        due_at=None,
        due_shard=None,
    )


def pending_again(referral: Referral, terms: Terms, now: int) -> Referral:
    """Back to pending, with a credit window that starts anew."""
    reopened = replace(
        referral, status="CREDIT_PENDING", updated_at=now, pending_since=now, award_at=None
    )
    return scheduled(reopened, terms)


def delayed(referral: Referral, award_at: int) -> Referral:
    """Pending until `award_at` (ms), when the sweep gives the credit."""
    return _due(replace(referral, award_at=award_at), award_at)


def scheduled(referral: Referral, terms: Terms) -> Referral:
    """Pending without a delay: the sweep looks at it when its credit window ends."""
    undelayed = replace(referral, award_at=None)
    ends = None if terms.window_ms is None else referral.pending_since + terms.window_ms
    return _due(undelayed, ends)


def _due(referral: Referral, due_at: int | None) -> Referral:
    shard = None if due_at is None else shard_of(referral.referred_id)
    return replace(referral, due_at=due_at, due_shard=shard)


def held_back(referral: Referral) -> Referral:
    """A new referral that waits until somebody has looked at the friend: pending, with what would
    have become of it. No window ends and nothing falls due meanwhile."""
    if referral.status == "CREDIT_EXPIRED":
        return referral
    return replace(
        referral,
        status="CREDIT_PENDING",
        held="AWARD" if referral.status == "CREDIT_AWARDED" else "PENDING",
        award_at=None,
        credited_at=None,
        credited_month=None,
        due_at=None,
        due_shard=None,
    )


def released(referral: Referral, terms: Terms, now: int) -> Referral:
    """What becomes of one that was held back when the friend is found harmless: the credit, if it
    would have been given; else it is pending, with a credit window that starts now."""
    if referral.held == "AWARD" and terms.gives_credit:
        return awarded(referral, now)
    return scheduled(replace(referral, held=None, pending_since=now), terms)


def next_version(referral: Referral) -> Referral:
    return replace(referral, version=referral.version + 1)


def changed_by_operator(
    referral: Referral, requested: ReferralStatus, terms: Terms, now: int
) -> Referral:
    """The referral after an update names its status; unchanged where that changes nothing.

    An explicit award overrides an expired window. Awarding while the campaign is not in progress
    does nothing. The caller has refused to change an awarded one.

    One that is held back is not awarded: whoever wants that says that the friend is harmless. Its
    award is remembered and given then; CREDIT_PENDING takes that back, CREDIT_EXPIRED ends it.
    """
    if referral.held and requested != "CREDIT_EXPIRED":
        return replace(referral, held="AWARD" if requested == "CREDIT_AWARDED" else "PENDING")
    if requested == "CREDIT_AWARDED":
        return awarded(referral, now) if terms.gives_credit else referral
    if requested == "CREDIT_EXPIRED":
        return referral if referral.status == "CREDIT_EXPIRED" else expired(referral, now)
    if status_at(referral, terms, now) == "CREDIT_PENDING":
        return referral
    return pending_again(referral, terms, now)


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
    match status_at(referral, terms, now):
        case "CREDIT_AWARDED":
            return Triggered(None, False, "Referral credit has already been awarded")
        case "CREDIT_EXPIRED" if referral.status == "CREDIT_PENDING":
            # The API answers success here although nobody is credited.
            message = "The referral credit window has passed, no referral credit was awarded."
            return Triggered(expired(referral, now), True, message)
        case "CREDIT_EXPIRED":
            return Triggered(None, False, "Referral credit has expired")
    if (refusal := _not_now(referral, terms)) is not None:
        return refusal
    if delay_days:
        later = delayed(replace(referral, updated_at=now), now + delay_days * DAY_MS)
        days = "1 day" if delay_days == 1 else f"{delay_days} days"
        return Triggered(later, True, f"Referral credit will be awarded in {days}.")
    return Triggered(awarded(referral, now), True, "Successfully awarded referral credit.")


def _not_now(referral: Referral, terms: Terms) -> Triggered | None:
    """Why a pending referral is not credited; None when it can be."""
    if not terms.is_live:
        message = "Referral credit is only awarded while the campaign is in progress"
        return Triggered(None, False, message)
    if referral.held:
        remembered = replace(referral, held="AWARD")
        message = "Referral credit is held back until the participant's fraud risk is reviewed."
        return Triggered(_unless_same(referral, remembered), False, message)
    if not terms.gives_credit:
        return Triggered(None, False, "Referral credit is not awarded to a high-risk referrer")
    return None


def settled(referral: Referral, terms: Terms, now: int) -> Referral | None:
    """The referral after its due time, or None when it is up to date.

    A delayed credit that falls due while the campaign is not in progress, or whose referrer is of
    a high risk that the campaign refuses, loses its date and is pending as before the trigger.
    """
    if referral.status != "CREDIT_PENDING" or referral.held:
        return None
    if referral.award_at is not None:
        if now < referral.award_at:
            return _unless_same(referral, delayed(referral, referral.award_at))
        return awarded(referral, now) if terms.gives_credit else scheduled(referral, terms)
    if _window_passed(referral, terms, now):
        return expired(referral, now)
    return _unless_same(referral, scheduled(referral, terms))


def with_copies_of(referral: Referral, friend: Profile) -> Referral:
    """With the friend's e-mail address and names as the profile has them."""
    return replace(
        referral, email=friend.email, first_name=friend.first_name, last_name=friend.last_name
    )


def _unless_same(before: Referral, after: Referral) -> Referral | None:
    return None if before == after else after
