"""The states of a referral credit, as pure rules: a referral and the time in, the next one out.

    (none) --referrer set--> CREDIT_PENDING --trigger or update--> CREDIT_AWARDED (for good)
                                |      ^
       window passed or update  v      | update
                             CREDIT_EXPIRED

A delayed credit stays CREDIT_PENDING with the time it falls due. The credit window is compared
with the clock wherever a referral is read, so an expired credit reads as such at once; the sweep
or the next trigger writes it down.

In a campaign that wants risky friends reviewed, their referrals are held back, which is
CREDIT_PENDING too, and remember what is owed:

    (none) or CREDIT_EXPIRED --risky friend--> held, PENDING <--------> held, AWARD
                                                  |       trigger, update,   |
                           friend found harmless  |       cancelled delay    |
                                                  v                          v
                            CREDIT_PENDING, its window anew     CREDIT_AWARDED, or delayed until
                                                                the date that a trigger has set

An AWARD stays held while it cannot be given, as the campaign is not in progress or the referrer is
refused, until the next review or trigger. An update to CREDIT_EXPIRED ends either. What the friend
earns by joining is owed beside that until it is given.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from grapevine.engine.terms import Terms
from grapevine.months import month_at
from grapevine.table.due import shard_of
from grapevine.table.participants import Profile
from grapevine.table.referrals import Referral, ReferralStatus

EntryStatus = Literal["CREDIT_PENDING", "CREDIT_AWARDED"]


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
    A credit is only given while the campaign is in progress; until then it is pending. What is
    held back for a review of the friend is decided without a look at the referrer, whose risk is
    looked at again when it is released.
    """
    terms = terms.about(friend)
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
    if requested is None and _window_passed(pending, terms, now):
        return replace(pending, status="CREDIT_EXPIRED")
    is_asked = requested == "CREDIT_AWARDED" or (requested is None and terms.credits_at_signup)
    if terms.holds:
        owes_signup = True if terms.is_live else None
        return held_back(replace(pending, owes_signup=owes_signup), owed=is_asked and terms.is_live)
    if is_asked and terms.gives_credit:
        return awarded(pending, now)
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
        owes_signup=None,
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


def held_back(referral: Referral, *, owed: bool, award_at: int | None = None) -> Referral:
    """Waiting until somebody has looked at the friend. No window ends and nothing falls due
    meanwhile; `award_at` is the date that a delayed trigger has set."""
    return _due(replace(referral, held="AWARD" if owed else "PENDING", award_at=award_at), None)


def released(referral: Referral, terms: Terms, now: int) -> Referral:
    """What becomes of one that was held back when the friend is found harmless: the credit, on its
    date where it has one; else it is pending, with a credit window that starts now.

    What cannot be given now stays owed: the credit with the referral held back, and what the friend
    earns by joining until the credit is given or it is released again.
    """
    after = referral
    if referral.held == "PENDING":
        after = scheduled(replace(referral, held=None, pending_since=now), terms)
    elif referral.held == "AWARD" and (referral.award_at or 0) > now:
        after = delayed(replace(referral, held=None), referral.award_at or now)
    elif referral.held == "AWARD" and terms.gives_credit:
        after = awarded(referral, now)
    return _with_signup(after, terms)


def _with_signup(referral: Referral, terms: Terms) -> Referral:
    """The friend gets what joining earns, where that was held back and can be given."""
    if not terms.gives_credit or referral.held or referral.status == "CREDIT_EXPIRED":
        return referral
    return replace(referral, owes_signup=None)


def next_version(referral: Referral) -> Referral:
    return replace(referral, version=referral.version + 1)


def changed_by_operator(
    referral: Referral, requested: ReferralStatus, terms: Terms, now: int
) -> Referral:
    """The referral after an update names its status; unchanged where that changes nothing.

    An explicit award overrides an expired window. Awarding while the campaign is not in progress
    does nothing. The caller has refused to change an awarded one.

    One that is held back, or leaves CREDIT_EXPIRED in a campaign that holds back its friend, is not
    awarded: whoever wants that says that the friend is harmless. Its award is remembered and given
    then; CREDIT_PENDING takes that back, CREDIT_EXPIRED ends it.
    """
    shown = status_at(referral, terms, now)
    waits = terms.is_friend_risky if referral.held else shown == "CREDIT_EXPIRED" and terms.holds
    if requested == "CREDIT_EXPIRED":
        return referral if referral.status == "CREDIT_EXPIRED" else expired(referral, now)
    if requested == "CREDIT_AWARDED" and not terms.is_live:
        return referral
    if waits:
        return _waiting(referral, owed=requested == "CREDIT_AWARDED", now=now)
    if requested == "CREDIT_AWARDED":
        return awarded(referral, now) if terms.gives_credit else referral
    if shown == "CREDIT_PENDING":
        return released(held_back(referral, owed=False), terms, now) if referral.held else referral
    return _with_signup(pending_again(referral, terms, now), terms)


def _waiting(referral: Referral, *, owed: bool, now: int) -> Referral:
    if referral.held:
        return held_back(referral, owed=owed)
    again = replace(referral, status="CREDIT_PENDING", updated_at=now, pending_since=now)
    return held_back(again, owed=owed)


def settled(referral: Referral, terms: Terms, now: int) -> Referral | None:
    """The referral after its due time, or None when it is up to date.

    A delayed credit that falls due while the campaign is not in progress, or whose referrer is of
    a high risk that the campaign refuses, loses its date and is pending as before the trigger.
    """
    if referral.status != "CREDIT_PENDING" or referral.held:
        return None
    if referral.award_at is not None:
        if now < referral.award_at:
            return unless_same(referral, delayed(referral, referral.award_at))
        return awarded(referral, now) if terms.gives_credit else scheduled(referral, terms)
    if _window_passed(referral, terms, now):
        return expired(referral, now)
    return unless_same(referral, scheduled(referral, terms))


def with_copies_of(referral: Referral, friend: Profile) -> Referral:
    """With the friend's e-mail address and names as the profile has them."""
    return replace(
        referral, email=friend.email, first_name=friend.first_name, last_name=friend.last_name
    )


def unless_same(before: Referral, after: Referral) -> Referral | None:
    """None where nothing changes."""
    return None if before == after else after
