"""A referral: the one record of who referred whom and of what became of the credit.

It lives in the referrer's partition. Whether the credit has been awarded is decided here and
nowhere else; the referrer's counts change in the same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from grapevine.table import keys, store
from grapevine.table.entity import Entity
from grapevine.table.keys import Key
from grapevine.table.store import Index

ReferralStatus = Literal["CREDIT_PENDING", "CREDIT_AWARDED", "CREDIT_EXPIRED"]

_CREDITED = Index("credited", "partition", "creditedAt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral(Entity):
    """Times in ms. `pending_since` starts the credit window, `award_at` is when a delayed credit
    falls due, `due_at` when the sweep must look at it (with `due_shard`, its place in the due
    index), `credited_month` the month that `credited_at` was counted in."""

    TYPE: ClassVar[str] = "Referral"

    campaign_id: str
    referrer_id: str
    referred_id: str
    version: int = 0
    status: ReferralStatus
    created_at: int
    updated_at: int
    pending_since: int
    award_at: int | None = None
    credited_at: int | None = None
    credited_month: int | None = None
    due_shard: str | None = None
    due_at: int | None = None

    @property
    def key(self) -> Key:
        return keys.referral(self.campaign_id, self.referrer_id, self.referred_id)


@dataclass(frozen=True, slots=True)
class CreditedFriend:
    referred_id: str
    credited_at: int


def credited_of(campaign_id: str, referrer_id: str, limit: int) -> list[CreditedFriend]:
    """The referrer's last `limit` credited referrals, newest first, strongly consistent."""
    partition = keys.standing(campaign_id, referrer_id).partition
    entries = store.query(_CREDITED, partition, limit=limit, descending=True)
    return [
        CreditedFriend(keys.referred_in(entry["sort"]), entry["creditedAt"]) for entry in entries
    ]


def credited_between(campaign_id: str, referrer_id: str, start: int, end: int) -> int:
    """How many of the referrer's referrals were credited from `start` until before `end` (ms);
    strongly consistent."""
    partition = keys.standing(campaign_id, referrer_id).partition
    return len(store.query(_CREDITED, partition, between=(start, end - 1)))


def credit_times(campaign_id: str, referrer_id: str) -> list[int]:
    """When each of the referrer's credited referrals was credited (ms); strongly consistent."""
    partition = keys.standing(campaign_id, referrer_id).partition
    return [entry["creditedAt"] for entry in store.query(_CREDITED, partition)]


def of_referrer(campaign_id: str, referrer_id: str, limit: int) -> list[Referral]:
    """Up to `limit` of the referrer's referrals, in no particular order."""
    partition = keys.standing(campaign_id, referrer_id).partition
    items = store.query(None, partition, limit=limit, prefix=keys.REFERRAL_PREFIX)
    return [Referral.from_item(item) for item in items]
