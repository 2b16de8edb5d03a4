"""Participants, as the GrowSurf API shows and takes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from grapevine.engine.participants.add import NewParticipant
from grapevine.engine.participants.delete import BulkResult
from grapevine.engine.participants.describe import Description
from grapevine.engine.participants.metadata import InvalidMetadata, camel_key
from grapevine.engine.participants.update import Changes
from grapevine.http.models.fields import (
    Email,
    Input,
    Limit,
    Metadata,
    Name,
    Notes,
    Output,
    ParticipantName,
    Query,
    Signal,
    VanityKey,
    when_sent,
)
from grapevine.http.models.rewards import ParticipantReward

Status = Literal["CREDIT_PENDING", "CREDIT_AWARDED", "CREDIT_EXPIRED"]
Source = Literal["DIRECT", "PARTICIPANT", "DELETED_PARTICIPANT"]

ALWAYS_SHOWN = ("email", "facebook", "linkedin", "pinterest", "twitter")
"""The channels of `shareCount` that are there even without a share (growsurf)."""


class AddParticipant(Input):
    """`referredBy` is an id, a vanity key or an e-mail address."""

    email: Email
    referred_by: ParticipantName | None = None
    referral_status: Literal["CREDIT_PENDING", "CREDIT_AWARDED"] | None = None
    first_name: Name | None = None
    last_name: Name | None = None
    ip_address: Signal | None = None
    fingerprint: Signal | None = None
    mobile_instance_id: Signal | None = None
    metadata: Metadata | None = None

    def to_engine(self) -> NewParticipant:
        given = {key: value for key, value in (self.metadata or {}).items() if value is not None}
        return NewParticipant(
            email=self.email,
            first_name=self.first_name,
            last_name=self.last_name,
            referred_by=self.referred_by,
            referral_status=self.referral_status,
            metadata=given,
            ip_address=self.ip_address,
            fingerprint=self.fingerprint,
            mobile_instance_id=self.mobile_instance_id,
        )


class UpdateParticipant(Input):
    """Only what is sent changes. null removes a name, a note, a metadata value or all metadata."""

    email: Email = when_sent()
    referred_by: ParticipantName = when_sent()
    referral_status: Status = when_sent()
    first_name: Name | None = when_sent()
    last_name: Name | None = when_sent()
    metadata: Metadata | None = when_sent()
    vanity_keys: Annotated[tuple[VanityKey, ...], Field(max_length=5)] = when_sent()
    unsubscribed: bool = when_sent()
    notes: Notes | None = when_sent()
    paypal_email: Email | None = when_sent()

    def to_engine(self) -> Changes:
        sent: Any = self.model_dump(exclude_unset=True)
        changes: Changes = sent
        return changes


def _metadata_filter(value: Any) -> Any:
    if not isinstance(value, dict) or not 1 <= len(value) <= 3:
        raise PydanticCustomError("metadata", "Filter by one to three metadata keys.")
    try:
        return {camel_key(key): text for key, text in value.items()}
    except InvalidMetadata as error:
        raise PydanticCustomError("metadata", "{reason}", {"reason": str(error)}) from None


class ListParticipants(Query):
    """`nextId` is the first participant of the page wanted. `metadata[key]` (up to three keys)
    keeps the participants with just these values, compared as text, in order of their ids."""

    limit: Limit = 10
    next_id: str | None = None
    metadata: Annotated[dict[str, str], BeforeValidator(_metadata_filter)] | None = None


class BulkDeleteParticipants(Input):
    participants: Annotated[
        list[Annotated[str, Field(max_length=254)]], Field(min_length=1, max_length=200)
    ]


class _Person(Output):
    """What is said of a participant and of a referrer alike."""

    id: str
    email: str
    first_name: str | None
    last_name: str | None
    referral_count: int
    monthly_referral_count: int
    prev_monthly_referral_count: int
    rank: int
    monthly_rank: int
    prev_monthly_rank: int
    share_url: str
    created_at: int
    referral_source: Source
    fraud_risk_level: Literal["LOW", "MEDIUM", "HIGH"]
    fraud_reason_code: str
    is_winner: bool
    share_count: dict[str, int]
    impression_count: int
    unique_impression_count: int
    invite_count: int
    referrals: list[str]
    monthly_referrals: list[str]
    metadata: dict[str, str | int | float | bool]
    ip_address: str | None
    fingerprint: str | None
    unsubscribed: bool


class Referrer(_Person):
    """The referrer inside a participant: never nested further."""

    @classmethod
    def of(cls, shown: Description) -> Referrer:
        return cls.model_construct(**_person(shown))


class Participant(_Person):
    """`prevMonthlyRank` is -1 for somebody who was not there last month."""

    referral_status: Status | None = None
    referred_by: str | None = None
    referrer: Referrer | None
    rewards: list[ParticipantReward]
    vanity_keys: list[str]
    mobile_instance_id: str | None
    notes: str | None
    paypal_email_address: str | None = None
    payout_settings: dict[str, list[str]]
    is_new: bool | None = None

    @classmethod
    def of(cls, shown: Description, *, is_new: bool | None = None) -> Participant:
        profile = shown.participant.profile
        fields = _person(shown) | {
            "referrer": Referrer.of(shown.referrer) if shown.referrer else None,
            "rewards": [ParticipantReward.of(reward) for reward in shown.rewards],
            "vanity_keys": list(profile.vanity_keys),
            "mobile_instance_id": profile.mobile_instance_id,
            "notes": profile.notes,
            "payout_settings": {"requiredActions": []},
        }
        optional = {
            "referral_status": shown.referral_status,
            "referred_by": profile.referrer_id if shown.referrer else None,
            "paypal_email_address": profile.paypal_email,
            "is_new": is_new,
        }
        fields |= {name: value for name, value in optional.items() if value is not None}
        return cls.model_construct(**fields)


def _person(shown: Description) -> dict[str, Any]:
    profile, standing = shown.participant.profile, shown.participant.standing
    return {
        "id": profile.participant_id,
        "email": profile.email,
        "first_name": profile.first_name,
        "last_name": profile.last_name,
        "referral_count": standing.referral_count,
        "monthly_referral_count": shown.monthly_referral_count,
        "prev_monthly_referral_count": shown.prev_monthly_referral_count,
        "rank": shown.ranks.rank,
        "monthly_rank": shown.ranks.monthly_rank,
        "prev_monthly_rank": shown.ranks.prev_monthly_rank,
        "share_url": shown.share_url,
        "created_at": profile.created_at,
        "referral_source": shown.referral_source,
        "fraud_risk_level": profile.fraud_risk_level,
        "fraud_reason_code": profile.fraud_reason_code,
        "is_winner": shown.is_winner,
        "share_count": dict.fromkeys(ALWAYS_SHOWN, 0) | shown.impressions.shares,
        "impression_count": shown.impressions.total,
        "unique_impression_count": shown.impressions.unique,
        "invite_count": shown.invite_count,
        "referrals": shown.referrals,
        "monthly_referrals": shown.monthly_referrals,
        "metadata": profile.metadata,
        "ip_address": profile.ip_address,
        "fingerprint": profile.fingerprint,
        "unsubscribed": profile.unsubscribed,
    }


class ParticipantList(Output):
    """`nextId` begins the next page; null on the last one."""

    participants: list[Participant]
    limit: int
    next_id: str | None

    @classmethod
    def of(cls, shown: list[Description], *, limit: int, next_id: str | None) -> ParticipantList:
        participants = [Participant.of(one) for one in shown]
        return cls.model_construct(participants=participants, limit=limit, next_id=next_id)


class Deleted(Output):
    success: bool


class BulkDeleted(Output):
    summary: BulkSummary
    results: list[BulkRow]

    @classmethod
    def of(cls, results: list[BulkResult]) -> BulkDeleted:
        counts = dict.fromkeys(("DELETED", "NOT_FOUND", "DUPLICATE", "ERROR"), 0)
        for result in results:
            counts[result.status] += 1
        return cls(
            summary=BulkSummary(
                total=len(results),
                deleted_count=counts["DELETED"],
                not_found_count=counts["NOT_FOUND"],
                duplicate_count=counts["DUPLICATE"],
                error_count=counts["ERROR"],
            ),
            results=[BulkRow.of(index, result) for index, result in enumerate(results)],
        )


class BulkSummary(Output):
    total: int
    deleted_count: int
    not_found_count: int
    duplicate_count: int
    error_count: int


class BulkRow(Output):
    """`email` is said of deleted rows, `message` of the others."""

    index: int
    identifier: str
    status: Literal["DELETED", "NOT_FOUND", "DUPLICATE", "ERROR"]
    participant_id: str | None = None
    email: str | None = None
    message: str | None = None

    @classmethod
    def of(cls, index: int, result: BulkResult) -> BulkRow:
        optional = {
            "participant_id": result.participant_id,
            "email": result.email,
            "message": result.message,
        }
        given = {name: value for name, value in optional.items() if value is not None}
        return cls.model_validate(
            {"index": index, "identifier": result.identifier, "status": result.status, **given}
        )
