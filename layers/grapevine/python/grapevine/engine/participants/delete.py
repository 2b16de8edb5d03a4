"""Deleting a participant: one transaction removes the person, the rest follows in the background.

Gone at once: profile, guards (the e-mail address, id and vanity keys are free again), the referral
that brought the participant, and the credit the referrer had for it. The standing stays for a
while as a tombstone without personal data, so that every reader of the stream learns of it.
The tombstone falls due after `ERASE_AFTER_MS`: `erase` then detaches the friends, page by page.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from grapevine import runtime
from grapevine.engine import credit
from grapevine.engine.attempts import attempts
from grapevine.engine.fraud.screening import forgotten, trait_keys
from grapevine.engine.mechanics import linking
from grapevine.engine.participants.add import TOMBSTONE_LIFE_MS
from grapevine.engine.participants.lookup import Located, Participant, load, locate
from grapevine.errors import Busy, UnknownParticipant
from grapevine.table import activities, email_keys, fraud_keys, invites, keys, referrals, store
from grapevine.table.campaigns import Campaign
from grapevine.table.due import shard_of
from grapevine.table.impressions import Impressions
from grapevine.table.invitations import Invitations
from grapevine.table.participants import Profile
from grapevine.table.referrals import Referral
from grapevine.table.rewards import Earnings, earned_by
from grapevine.table.standings import Standing
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, PRESENT, Check, Delete, Put, Write, version

ERASE_AFTER_MS = 2 * 60 * 1000
"""Longer than a function can run: by then, no sign-up is on its way that still saw the referrer."""

_ERASE_AT_ONCE = 200
_MOST_DELETES = 100


def delete(campaign: Campaign, located: Located) -> Profile:
    """The profile of the participant that is now deleted.

    Raises:
        UnknownParticipant: also when the participant has been deleted before.
        Busy: nothing was written.
    """
    participant = located.load()
    for attempt in attempts():
        if attempt:
            participant = load(participant.profile.campaign_id, participant.participant_id)
        try:
            store.transact(_deletion(campaign, participant))
        except TransactionCanceled:
            continue
        return participant.profile
    raise AssertionError("attempts() ends by raising Busy")


def _deletion(campaign: Campaign, participant: Participant) -> list[Write]:
    profile, standing = participant.profile, participant.standing
    now = runtime.now_ms()
    tombstone = replace(
        standing,
        version=standing.version + 1,
        referral_count=0,
        even_month=None,
        odd_month=None,
        year=None,
        deleted_at=now,
        expires_at=(now + TOMBSTONE_LIFE_MS) // 1000,
        due_shard=shard_of(profile.participant_id),
        due_at=now + ERASE_AFTER_MS,
    )
    writes: list[Write] = [
        Delete(profile.key, version(profile.version)),
        Put(tombstone.to_item(), version(standing.version)),
        *(Delete(companion.key, PRESENT) for companion in profile.companions),
    ]
    writes += _ended(campaign, profile, tombstone)
    ties = credit.ties_of(participant)
    if ties:
        writes.append(Delete(ties.referral.key, version(ties.referral.version)))
        if ties.referral.credited_month is not None:
            counts = ties.referrer.standing
            uncredited = counts.minus_one(ties.referral.credited_month)
            writes.append(Put(uncredited.to_item(), version(counts.version)))
    return writes


def _ended(campaign: Campaign, profile: Profile, tombstone: Standing) -> list[Write]:
    """What the participant has earned, how its link was seen and how many it has invited become
    tombstones, too; nobody is recognised by its address or device any more."""
    campaign_id, participant_id = tombstone.campaign_id, tombstone.participant_id
    earnings_key = keys.earnings(campaign_id, participant_id)
    impressions_key = keys.impressions(campaign_id, participant_id)
    invitations_key = keys.invitations(campaign_id, participant_id)
    wanted = [earnings_key, impressions_key, invitations_key]
    found = store.get_many([*wanted, *trait_keys(campaign, profile)])
    # A leaderboard reward, a first visitor or first invites may be on their way to somebody who has
    # none yet.
    writes: list[Write] = [Check(key, ABSENT) for key in wanted if key not in found]
    at, expires_at = tombstone.deleted_at, tombstone.expires_at
    if earnings_key in found:
        earnings = Earnings.from_item(found[earnings_key])
        ended = replace(
            earnings,
            version=earnings.version + 1,
            times={},
            deleted_at=at,
            expires_at=expires_at,
        )
        writes.append(Put(ended.to_item(), version(earnings.version)))
    if impressions_key in found:
        seen = Impressions.from_item(found[impressions_key])
        unseen = replace(
            seen,
            version=seen.version + 1,
            total=0,
            unique=0,
            shares={},
            last_share=None,
            last_share_at=None,
            deleted_at=at,
            expires_at=expires_at,
        )
        writes.append(Put(unseen.to_item(), version(seen.version)))
    if invitations_key in found:
        invited = Invitations.from_item(found[invitations_key])
        uninvited = replace(
            invited,
            version=invited.version + 1,
            invite_count=0,
            day_count=0,
            deleted_at=at,
            expires_at=expires_at,
        )
        writes.append(Put(uninvited.to_item(), version(invited.version)))
    return writes + forgotten(campaign, profile, found)


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of one name in a bulk deletion."""

    identifier: str
    status: str
    participant_id: str | None = None
    email: str | None = None
    message: str | None = None


def delete_many(campaign: Campaign, identifiers: list[str]) -> list[BulkResult]:
    """One result per name, in their order; each participant is deleted on its own."""
    deleted: dict[str, str] = {}
    return [_delete_one(campaign, identifier, deleted) for identifier in identifiers]


def _delete_one(campaign: Campaign, identifier: str, deleted: dict[str, str]) -> BulkResult:
    """`deleted` maps every name under which an earlier row deleted somebody to that id."""
    named = identifier.strip().casefold() if "@" in identifier else identifier
    if named in deleted:
        return BulkResult(
            identifier, "DUPLICATE", deleted[named], message="Same participant as an earlier entry."
        )
    try:
        profile = delete(campaign, locate(campaign.campaign_id, identifier))
    except UnknownParticipant:
        return BulkResult(identifier, "NOT_FOUND", message="No such participant.")
    except Busy as busy:
        return BulkResult(identifier, "ERROR", message=str(busy))
    deleted[profile.participant_id] = profile.participant_id
    deleted[profile.email_guard.email] = profile.participant_id
    return BulkResult(identifier, "DELETED", profile.participant_id, profile.email)


def erase(tombstone: Standing) -> None:
    """Detaches the friends of a deleted participant, frees its player and removes its rewards, its
    invites with their texts, and its log, a page at a time, then takes the tombstone out of the due
    index; until then the next sweep goes on.

    Safe to repeat.

    Raises:
        Busy
    """
    left = referrals.of_referrer(tombstone.campaign_id, tombstone.participant_id, _ERASE_AT_ONCE)
    for referral in left:
        detach(referral)
    rewards = earned_by(tombstone.campaign_id, tombstone.participant_id, _ERASE_AT_ONCE)
    sent = invites.sent_by(tombstone.campaign_id, tombstone.participant_id, _ERASE_AT_ONCE)
    lines = activities.newest_of(tombstone.campaign_id, tombstone.participant_id, _ERASE_AT_ONCE)
    # What the participant wrote goes before the invites do, which say where it is.
    texts = {keys.mail_text(one.campaign_id, one.message_id) for one in sent}
    report_key = fraud_keys.fraud_report(tombstone.campaign_id, tombstone.participant_id)
    requests_key = email_keys.email_requests(tombstone.campaign_id, tombstone.participant_id)
    _remove([*store.get_many([*texts, report_key, requests_key])])
    for of_one_kind in (rewards, sent, lines):
        _remove([one.key for one in of_one_kind])
    linking.free(tombstone.campaign_id, tombstone.participant_id)
    done = max(len(left), len(rewards), len(sent), len(lines)) < _ERASE_AT_ONCE
    after = replace(
        tombstone,
        version=tombstone.version + 1,
        due_shard=None if done else tombstone.due_shard,
        due_at=None if done else runtime.now_ms(),
    )
    # Somebody else may have finished the same tombstone: then there is nothing left to do.
    try:
        store.transact([Put(after.to_item(), version(tombstone.version))])
    except TransactionCanceled as lost:
        if not lost.failed:
            raise Busy from None


def _remove(items: list[keys.Key]) -> None:
    for start in range(0, len(items), _MOST_DELETES):
        some = items[start : start + _MOST_DELETES]
        try:
            store.transact([Delete(key, PRESENT) for key in some])
        except TransactionCanceled:
            # Another worker is at the same tombstone: the message comes again and finds the rest.
            raise Busy from None


def detach(referral: Referral) -> None:
    """Removes a referral whose referrer has been deleted; the friend stays, and knows it.

    Safe to repeat.

    Raises:
        Busy
    """
    profile_key = keys.profile(referral.campaign_id, referral.referred_id)
    for _ in attempts():
        item = store.get(profile_key)
        friend = Profile.from_item(item) if item else None
        writes: list[Write] = [Delete(referral.key, PRESENT)]
        if friend and friend.referrer_id == referral.referrer_id:
            detached = replace(
                friend,
                version=friend.version + 1,
                referrer_id=None,
                referral_source="DELETED_PARTICIPANT",
            )
            writes.append(Put(detached.to_item(), version(friend.version)))
        try:
            store.transact(writes)
        except TransactionCanceled as lost:
            if referral.key in lost.failed:
                return
            continue
        return
