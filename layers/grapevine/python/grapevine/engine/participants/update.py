"""Changing a participant: only what was sent changes, in one transaction.

The profile's version, the referral's and the referrer's standing's are conditions; whoever loses
reads again and lays the same changes over the newer state.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict

from grapevine import runtime
from grapevine.engine import credit, referrals
from grapevine.engine.attempts import attempts
from grapevine.engine.credit import Referrer, Ties
from grapevine.engine.fraud.rescreening import rescreened
from grapevine.engine.mail import unsubscribing
from grapevine.engine.participants import metadata
from grapevine.engine.participants.answered import answer_writes, salt_keys
from grapevine.engine.participants.lookup import (
    Located,
    Participant,
    load,
    referrer_guard_key,
    referrer_id_in,
)
from grapevine.engine.participants.metadata import InvalidMetadata, Scalar
from grapevine.engine.rewards.earning import earnings_in, offer_of
from grapevine.engine.terms import terms_of
from grapevine.errors import InvalidRequest, Problem
from grapevine.table import keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.participants import Profile
from grapevine.table.referrals import Referral, ReferralStatus
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, MOST_WRITES, PRESENT, Delete, Put, Write, version


class Changes(TypedDict, total=False):
    """The fields that were sent. In `metadata`, None removes a key, None as a whole removes all."""

    email: str
    first_name: str | None
    last_name: str | None
    metadata: dict[str, Scalar | None] | None
    vanity_keys: tuple[str, ...]
    notes: str | None
    unsubscribed: bool
    paypal_email: str | None
    referred_by: str
    referral_status: ReferralStatus


_PLAIN_FIELDS = (
    "email",
    "first_name",
    "last_name",
    "vanity_keys",
    "notes",
    "unsubscribed",
    "paypal_email",
)

_COPIED = ("email", "first_name", "last_name")
"""What the referral repeats of the profile."""


def _refused(field: str, code: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, Problem("body", field, code, message))


def update(campaign: Campaign, located: Located, changes: Changes) -> Participant:
    """The participant after the changes.

    Raises:
        UnknownParticipant
        InvalidRequest: the e-mail address or a vanity key is somebody else's, a referrer is set
            already or unknown, the credit has been awarded already, or too much metadata.
        ParticipantBlocked: the risk of fraud becomes high and the campaign is strict.
        Busy: nothing was written.
    """
    participant = located.load()
    for attempt in attempts():
        if attempt:
            participant = load(campaign.campaign_id, participant.participant_id)
        profile = _changed_profile(participant.profile, changes)
        profile, writes = _referral_writes(campaign, participant, profile, changes)
        if profile != participant.profile:
            profile = replace(profile, version=profile.version + 1)
            writes = [*_profile_writes(participant.profile, profile), *writes]
            writes += unsubscribing.wish_writes(participant.profile, profile)
        if not writes:
            return participant
        if len(writes) > MOST_WRITES:
            message = "Too many metadata values change at once. Send them in two requests."
            raise _refused("metadata", "too_many_changes", message)
        try:
            store.transact(writes)
        except TransactionCanceled as lost:
            _refuse_taken(participant.profile, profile, lost.failed)
            continue
        return replace(participant, profile=profile)
    raise AssertionError("attempts() ends by raising Busy")


def _changed_profile(before: Profile, changes: Changes) -> Profile:
    plain = {name: changes[name] for name in _PLAIN_FIELDS if name in changes}  # type: ignore[literal-required]
    profile = replace(before, **plain)
    if "metadata" not in changes:
        return profile
    try:
        return replace(profile, metadata=metadata.merged(before.metadata, changes["metadata"]))
    except InvalidMetadata as error:
        raise _refused("metadata", "invalid_metadata", str(error)) from None


def _profile_writes(before: Profile, after: Profile) -> list[Write]:
    writes: list[Write] = [Put(after.to_item(), version(before.version))]
    held = {item.key: item for item in before.companions}
    wanted = {item.key: item for item in after.companions}
    writes += [Delete(key, PRESENT) for key in held if key not in wanted]
    writes += [Put(item.to_item(), ABSENT) for key, item in wanted.items() if key not in held]
    return writes


def _refuse_taken(before: Profile, after: Profile, failed: frozenset[keys.Key]) -> None:
    """A guard that somebody else holds is final; every other conflict is worth another try."""
    if before.key in failed:
        return
    if after.email_guard.key in failed:
        message = "The email is already used by another participant of the campaign."
        raise _refused("email", "email_taken", message)
    taken = [guard.share_key for guard in after.key_guards if guard.key in failed]
    if taken:
        message = f"Another participant already has this id or vanity key: {', '.join(taken)}"
        raise _refused("vanityKeys", "vanity_key_taken", message)


def _referral_writes(
    campaign: Campaign, participant: Participant, profile: Profile, changes: Changes
) -> tuple[Profile, list[Write]]:
    """The profile with its referrer, and what to write of the referral and the referrer."""
    is_copied = any(
        getattr(profile, each) != getattr(participant.profile, each) for each in _COPIED
    )
    if not (is_copied or "referred_by" in changes or "referral_status" in changes):
        return profile, []
    ties = credit.ties_of(participant)
    if "referred_by" in changes:
        if ties is not None:
            message = "The participant already has a referrer, who cannot be replaced."
            raise _refused("referredBy", "referrer_set", message)
        return _with_referrer(campaign, participant.profile, profile, changes)
    writes: list[Write] = []
    is_moved = profile.email_guard != participant.profile.email_guard
    if is_moved:
        referrer = ties.referrer.profile if ties else None
        again = rescreened(campaign, participant.profile, profile, referrer)
        profile, writes = again.profile, again.writes
        if ties and again.referrer:
            ties = replace(ties, referrer=replace(ties.referrer, profile=again.referrer))
    after = ties.referral if ties else None
    if "referral_status" in changes:
        after = _with_status(campaign, ties, profile, changes["referral_status"])
    if ties is None or after is None:
        return profile, writes
    after = referrals.with_copies_of(after, profile)
    if after == ties.referral:
        return profile, writes
    terms = terms_of(campaign)
    reviewed = profile if profile == participant.profile else None
    writes += credit.writes_for(ties, after, offer_of(campaign), terms, reviewed)
    if is_moved:
        found = store.get_many(salt_keys(campaign))
        writes += answer_writes(campaign, found, after.referrer_id, profile.email)
    return profile, writes


def _with_status(
    campaign: Campaign, ties: Ties | None, friend: Profile, requested: ReferralStatus
) -> Referral:
    if ties is None:
        message = "The participant has no referrer, so there is no referral status to set."
        raise _refused("referralStatus", "no_referrer", message)
    if ties.referral.status == "CREDIT_AWARDED":
        message = "Referral credit has already been awarded."
        raise _refused("referralStatus", "already_awarded", message)
    terms = terms_of(campaign).towards(ties.referrer.profile).about(friend)
    return referrals.changed_by_operator(ties.referral, requested, terms, runtime.now_ms())


def _with_referrer(
    campaign: Campaign, before: Profile, profile: Profile, changes: Changes
) -> tuple[Profile, list[Write]]:
    referrer = _resolve_referrer(campaign.campaign_id, changes["referred_by"])
    referrer_id = referrer.standing.participant_id
    if referrer_id == profile.participant_id:
        message = "A participant cannot be their own referrer."
        raise _refused("referredBy", "self_referral", message)
    referred = replace(profile, referrer_id=referrer_id, referral_source="PARTICIPANT")
    again = rescreened(campaign, before, referred, referrer.profile)
    terms = terms_of(campaign).towards(again.referrer or referrer.profile)
    referral = referrals.opened(
        again.profile,
        referrer_id,
        requested=changes.get("referral_status"),
        terms=terms,
        now=runtime.now_ms(),
    )
    earnings_key = keys.earnings(campaign.campaign_id, profile.participant_id)
    found = store.get_many([earnings_key, *salt_keys(campaign)])
    friend = earnings_in(found, campaign.campaign_id, profile.participant_id)
    writes = credit.writes_for_new(referrer, referral, friend, offer_of(campaign), terms)
    writes += answer_writes(campaign, found, referrer_id, profile.email)
    return again.profile, [*writes, *again.writes]


def _resolve_referrer(campaign_id: str, referred_by: str) -> Referrer:
    guard_key = referrer_guard_key(campaign_id, referred_by)
    referrer_id = referrer_id_in(store.get(guard_key) if guard_key else None)
    referrer = credit.find_referrer(campaign_id, referrer_id) if referrer_id else None
    if referrer is None:
        message = "No participant of the campaign has this id, vanity key or email."
        raise _refused("referredBy", "unknown_referrer", message)
    return referrer
