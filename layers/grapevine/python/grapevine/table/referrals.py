"""A referral: the one record of who referred whom and of what became of the credit.

It lives in the referrer's partition. Whether the credit has been awarded is decided here and
nowhere else; the referrer's counts change in the same transaction. It carries copies of the
friend's e-mail address and names, which change in the transaction that changes the profile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from grapevine.table import keys, places, store
from grapevine.table.attributes import Item
from grapevine.table.entity import Entity
from grapevine.table.keys import Key
from grapevine.table.participants import normalise_email
from grapevine.table.referral_lists import BY_CREATED, BY_STATUS, index_entries

ReferralStatus = Literal["CREDIT_PENDING", "CREDIT_AWARDED", "CREDIT_EXPIRED"]

_END_OF_TIME = 10**15 - 1
_MOST_PAGES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral(Entity):
    """Times in ms. `updated_at` is when the status last changed or a delay was set: of an awarded
    one always `credited_at`. `pending_since` starts the credit window, `award_at` is when a delayed
    credit falls due, `due_at` when the sweep must look at it (with `due_shard`, its place in the
    due index), `credited_month` the month that `credited_at` was counted in. `held`: it waits for
    somebody to look at the friend, and what becomes of it then if the friend is found harmless,
    with `award_at` the date of an award that is delayed. `owes_signup`: what the friend earns by
    joining was held back and has not been given yet (True, or None)."""

    TYPE: ClassVar[str] = "Referral"

    campaign_id: str
    referrer_id: str
    referred_id: str
    version: int = 0
    email: str
    first_name: str | None = None
    last_name: str | None = None
    status: ReferralStatus
    created_at: int
    updated_at: int
    pending_since: int
    award_at: int | None = None
    credited_at: int | None = None
    credited_month: int | None = None
    held: Literal["PENDING", "AWARD"] | None = None
    owes_signup: bool | None = None
    due_shard: str | None = None
    due_at: int | None = None

    @property
    def key(self) -> Key:
        return keys.referral(self.campaign_id, self.referrer_id, self.referred_id)

    def index_attributes(self) -> Item:
        return index_entries(
            self.campaign_id,
            self.referred_id,
            status=self.status,
            created_at=self.created_at,
            updated_at=self.updated_at,
            sorted_email=normalise_email(self.email),
        )


@dataclass(frozen=True, slots=True)
class CreditedFriend:
    referred_id: str
    credited_at: int


@dataclass(frozen=True, slots=True)
class Friend:
    """Who has joined through a participant, as the referral tells it."""

    referred_id: str
    email: str
    first_name: str | None
    last_name: str | None
    created_at: int


def credited_of(campaign_id: str, referrer_id: str, limit: int) -> list[CreditedFriend]:
    """The referrer's last `limit` credited referrals, newest first, strongly consistent."""
    entries = _credited(campaign_id, referrer_id, 0, _END_OF_TIME, limit)
    return [
        CreditedFriend(keys.referred_in(entry["sort"]), places.time_in(entry["statusPlace"]))
        for entry in entries
    ]


def credited_between(campaign_id: str, referrer_id: str, start: int, end: int) -> int:
    """How many of the referrer's referrals were credited from `start` until before `end` (ms);
    strongly consistent."""
    return len(_credited(campaign_id, referrer_id, start, end))


def credit_times(campaign_id: str, referrer_id: str) -> list[int]:
    """When each of the referrer's credited referrals was credited (ms); strongly consistent."""
    entries = _credited(campaign_id, referrer_id, 0, _END_OF_TIME)
    return [places.time_in(entry["statusPlace"]) for entry in entries]


def _credited(
    campaign_id: str, referrer_id: str, start: int, end: int, limit: int | None = None
) -> list[Item]:
    """An awarded referral's place by status is at the time of its credit."""
    partition = keys.standing(campaign_id, referrer_id).partition
    between = (places.moment("CREDIT_AWARDED", start), places.moment("CREDIT_AWARDED", end))
    return store.query(BY_STATUS, partition, between=between, limit=limit, descending=True)


def newest_of(campaign_id: str, referrer_id: str, limit: int) -> list[Friend]:
    """The last `limit` who joined through the referrer, newest first, strongly consistent.

    Invites lie between them and are left out; behind very many of them nobody is looked for.
    """
    partition = keys.standing(campaign_id, referrer_id).partition
    friends: list[Friend] = []
    before: str | None = None
    size = limit + 20
    for _ in range(_MOST_PAGES):
        entries = store.query(
            BY_CREATED, partition, limit=size + 1, descending=True, at_most=before
        )
        friends += [_friend(entry) for entry in entries[:size] if places.is_referral(entry["sort"])]
        if len(friends) >= limit or len(entries) <= size:
            break
        before = entries[size]["createdPlace"]
    return friends[:limit]


def _friend(entry: Item) -> Friend:
    return Friend(
        referred_id=keys.referred_in(entry["sort"]),
        email=entry["email"],
        first_name=entry.get("firstName"),
        last_name=entry.get("lastName"),
        created_at=places.time_in(entry["createdPlace"]),
    )


def of_referrer(campaign_id: str, referrer_id: str, limit: int) -> list[Referral]:
    """Up to `limit` of the referrer's referrals, in no particular order."""
    partition = keys.standing(campaign_id, referrer_id).partition
    items = store.query(None, partition, limit=limit, prefix=keys.REFERRAL_PREFIX)
    return [Referral.from_item(item) for item in items]


def owed_by_hold(campaign_id: str, referrer_id: str, limit: int) -> list[Referral]:
    """Of the referrer's `limit` pending referrals that changed last those that are held back and
    owe a credit, strongly consistent."""
    partition = keys.standing(campaign_id, referrer_id).partition
    between = (places.moment("CREDIT_PENDING", 0), places.moment("CREDIT_PENDING", _END_OF_TIME))
    entries = store.query(BY_STATUS, partition, between=between, limit=limit, descending=True)
    found = store.get_many(Key(entry["partition"], entry["sort"]) for entry in entries)
    referrals = [Referral.from_item(item) for item in found.values()]
    return [referral for referral in referrals if referral.held == "AWARD"]
