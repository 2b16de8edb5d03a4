"""Adding a participant: one transaction writes the profile, the standing, the guards of e-mail
and share keys, the referral, and the referrer's credit where it is given at once.

The e-mail guard makes a repeated request harmless: it answers the participant that is there.
A number of the join sequence is drawn before the transaction. Where the participant does not come
to be, the number is written down as void, so that the sequence stays dense; a process that dies
in between leaves a hole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from grapevine import ids, runtime
from grapevine.engine import credit, referrals
from grapevine.engine.attempts import attempts
from grapevine.engine.credit import Referrer
from grapevine.engine.fraud import screening
from grapevine.engine.fraud.screening import Screening
from grapevine.engine.parallel import in_parallel
from grapevine.engine.participants.answered import answer_writes, salt_keys
from grapevine.engine.participants.lookup import (
    Participant,
    participant_in,
    participant_keys,
    referrer_guard_key,
    referrer_id_in,
)
from grapevine.engine.participants.metadata import Scalar
from grapevine.engine.participants.share import vanity_key_for
from grapevine.engine.program import options_of
from grapevine.engine.rewards.earning import Offer, offer_of
from grapevine.engine.terms import terms_of
from grapevine.errors import Busy, InvalidRequest, ParticipantBlocked, Problem
from grapevine.months import DAY_MS, month_at
from grapevine.table import keys, store
from grapevine.table.campaigns import Campaign, next_join_sequence
from grapevine.table.participants import EmailGuard, Profile, normalise_email
from grapevine.table.referrals import Friend, ReferralStatus, newest_of
from grapevine.table.rewards import Earnings
from grapevine.table.standings import Standing
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, MOST_WRITES, Put, Write

TOMBSTONE_LIFE_MS = 30 * DAY_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class NewParticipant:
    """What a caller may say of a new participant; `referred_by` is an id, a vanity key or an
    e-mail address, and one that nobody has is ignored."""

    email: str
    first_name: str | None = None
    last_name: str | None = None
    referred_by: str | None = None
    referral_status: ReferralStatus | None = None
    metadata: dict[str, Scalar] = field(default_factory=dict)
    ip_address: str | None = None
    fingerprint: str | None = None
    mobile_instance_id: str | None = None


@dataclass(frozen=True, slots=True)
class Added:
    participant: Participant
    is_new: bool


def add(campaign: Campaign, new: NewParticipant) -> Added:
    """The participant with this e-mail address: the one there is, unchanged, or a new one.

    Raises:
        ParticipantBlocked: the risk of fraud is high and the campaign strict; nothing was written.
        InvalidRequest: it writes more than one transaction takes; nothing was written.
        Busy: nothing was written.
    """
    adding = _Adding(campaign, new)
    try:
        for _ in attempts():
            added = adding.try_once()
            if added is not None:
                return added
    except (Busy, InvalidRequest, ParticipantBlocked):
        adding.give_up()
        raise
    raise AssertionError("attempts() ends by raising Busy")


def _too_much() -> InvalidRequest:
    """With the limits of metadata and rewards as they are nobody meets it: a campaign with more
    rewards, made when more were allowed, does."""
    message = "Too many metadata values for one request. Send some of them in an update."
    return InvalidRequest(message, Problem("body", "metadata", "too_many_changes", message))


class _Adding:
    """One request's tries: what they share is the join sequence number and the ids drawn."""

    def __init__(self, campaign: Campaign, new: NewParticipant) -> None:
        self._campaign = campaign
        self._new = new
        self._terms = terms_of(campaign)
        self._offer: Offer | None = None
        self._join_sequence: int | None = None
        self._participant_id = ids.participant_id()
        self._vanity_key = vanity_key_for(new.first_name, self._participant_id)

    def try_once(self) -> Added | None:
        """None when somebody else was in the way and it is worth another try."""
        campaign_id = self._campaign.campaign_id
        email_key = keys.email_guard(campaign_id, normalise_email(self._new.email))
        referrer_key = referrer_guard_key(campaign_id, self._new.referred_by or "")
        referred = [referrer_key, *salt_keys(self._campaign)] if referrer_key else []
        now = runtime.now_ms()
        signals = screening.keys_to_read(self._campaign, self._profile(None, now))
        found = store.get_many([email_key, *referred, *signals])
        if email_key in found:
            return self._existing(EmailGuard.from_item(found[email_key]).participant_id)
        referrer, friends = self._referrer(
            referrer_id_in(found.get(referrer_key) if referrer_key else None)
        )
        screened = screening.screened(
            self._campaign,
            self._profile(referrer, now),
            referrer=referrer.profile if referrer else None,
            siblings=friends,
            found=found,
            ip_address=self._new.ip_address,
        )
        profile = screened.flagged(self._profile(referrer, now))
        screening.refuse_if_strict(self._campaign, screened, profile, now)
        writes: list[Write] = [
            Put(entity.to_item(), ABSENT) for entity in (profile, *profile.companions)
        ]
        writes += screened.writes(profile)
        if referrer:
            writes += self._writes_of_referrer(referrer, profile, screened)
            writes += answer_writes(
                self._campaign, found, referrer.standing.participant_id, self._new.email
            )
        if len(writes) + 1 > MOST_WRITES:
            raise _too_much()
        if self._join_sequence is None:
            self._join_sequence = next_join_sequence(campaign_id)
        standing = Standing(
            campaign_id=campaign_id,
            participant_id=self._participant_id,
            join_sequence=self._join_sequence,
            joined_month=month_at(now),
        )
        writes.append(Put(standing.to_item(), ABSENT))
        try:
            store.transact(writes)
        except TransactionCanceled as lost:
            self._choose_other_keys(profile, lost.failed)
            return None
        return Added(Participant(profile, standing), is_new=True)

    def give_up(self) -> None:
        """Marks the number that was drawn as nobody's. Only called when no try has committed."""
        if self._join_sequence is None:
            return
        now = runtime.now_ms()
        void = Standing(
            campaign_id=self._campaign.campaign_id,
            participant_id=f"void-{self._join_sequence}",
            version=1,
            join_sequence=self._join_sequence,
            joined_month=month_at(now),
            deleted_at=now,
            expires_at=(now + TOMBSTONE_LIFE_MS) // 1000,
        )
        store.transact([Put(void.to_item(), ABSENT)])

    def _existing(self, participant_id: str) -> Added | None:
        campaign_id = self._campaign.campaign_id
        found = store.get_many(participant_keys(campaign_id, participant_id))
        participant = participant_in(found, campaign_id, participant_id)
        if participant is None:
            return None
        if participant.standing.join_sequence == self._join_sequence:
            # An earlier try of ours, of which nobody could say whether it had been made.
            return Added(participant, is_new=True)
        self.give_up()
        return Added(participant, is_new=False)

    def _referrer(self, referrer_id: str | None) -> tuple[Referrer | None, list[Friend]]:
        """The referrer, and the newest of those whom it has referred before."""
        if referrer_id is None:
            return None, []
        campaign_id = self._campaign.campaign_id
        calls: list[Callable[[], Any]] = [
            partial(credit.find_referrer, campaign_id, referrer_id),
            partial(newest_of, campaign_id, referrer_id, screening.MOST_SIBLINGS),
        ]
        if self._offer is None:
            calls.append(partial(offer_of, self._campaign))
        # The results have different types, which a list of calls cannot say.
        referrer, friends, *offered = in_parallel(calls)
        if offered:
            self._offer = offered[0]
        return referrer, friends if referrer else []

    def _writes_of_referrer(
        self, referrer: Referrer, profile: Profile, screened: Screening
    ) -> list[Write]:
        """The referral with all that a credit writes, and what makes the referrer HIGH where it is
        found out."""
        if not screened.catches(referrer.profile):
            return self._referral_writes(referrer, profile)
        report = store.get(screening.report_key(referrer.profile))
        caught = screening.caught_writes(referrer.profile, screened, profile.created_at, report)
        found_out = replace(referrer, profile=Profile.from_item(caught[0].item))
        return [*caught, *self._referral_writes(found_out, profile)]

    def _referral_writes(self, referrer: Referrer, profile: Profile) -> list[Write]:
        terms = self._terms.towards(referrer.profile)
        referral = referrals.opened(
            profile,
            referrer.standing.participant_id,
            requested=self._new.referral_status,
            terms=terms,
            now=profile.created_at,
        )
        friend = Earnings(campaign_id=profile.campaign_id, participant_id=profile.participant_id)
        offer = self._offer or offer_of(self._campaign)
        return credit.writes_for_new(referrer, referral, friend, offer, terms)

    def _profile(self, referrer: Referrer | None, now: int) -> Profile:
        new = self._new
        profile = Profile(
            campaign_id=self._campaign.campaign_id,
            participant_id=self._participant_id,
            email=new.email,
            first_name=new.first_name,
            last_name=new.last_name,
            created_at=now,
            referral_source="PARTICIPANT" if referrer else "DIRECT",
            referrer_id=referrer.standing.participant_id if referrer else None,
            metadata=dict(new.metadata),
            vanity_keys=(self._vanity_key,) if self._vanity_key else (),
        )
        if options_of(self._campaign).enforce_gdpr_compliance:
            return profile
        return replace(
            profile,
            ip_address=new.ip_address,
            fingerprint=new.fingerprint,
            mobile_instance_id=new.mobile_instance_id,
        )

    def _choose_other_keys(self, profile: Profile, failed: frozenset[keys.Key]) -> None:
        """A taken id is drawn anew; a generated vanity key that somebody owns is left out."""
        taken = {
            *failed.intersection(participant_keys(profile.campaign_id, profile.participant_id)),
            *failed.intersection([keys.key_guard(profile.campaign_id, profile.participant_id)]),
        }
        if taken:
            self._participant_id = ids.participant_id()
            self._vanity_key = vanity_key_for(self._new.first_name, self._participant_id)
        elif self._vanity_key and keys.key_guard(profile.campaign_id, self._vanity_key) in failed:
            self._vanity_key = None
