"""Rows of the referral lists, read from their indexes a stretch at a time, or from their items.

A `Scope` is a campaign or one participant of it: a participant's indexes are strongly consistent, a
campaign's show a write a moment later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from grapevine.table import keys, places, store
from grapevine.table.attributes import Item
from grapevine.table.invites import Invite
from grapevine.table.keys import Key
from grapevine.table.referral_lists import (
    BY_CREATED,
    BY_EMAIL,
    BY_STATUS,
    CAMPAIGN_BY_CREATED,
    CAMPAIGN_BY_EMAIL,
    CAMPAIGN_BY_STATUS,
    MASKED_EMAIL,
    RowStatus,
)
from grapevine.table.referrals import Referral
from grapevine.table.store import Index

_END_OF_TIME = 10**15 - 1
_FIRST, _LAST = " ", "\U0010ffff"
"""Before and after every place: in text, addresses in other scripts included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A referral or an invite, as a list shows it: nobody sees an invited address. Times in ms."""

    row_id: str
    referrer_id: str
    status: RowStatus
    created_at: int
    updated_at: int
    email: str = MASKED_EMAIL
    first_name: str | None = None
    last_name: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """`participant_id` is None for all of the campaign."""

    campaign_id: str
    participant_id: str | None = None


class Place(NamedTuple):
    """Where a row stands in an order: by its value, then by its id."""

    value: int | str
    row_id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A row as an index has it. `row` is there where the index holds all that a list shows,
    otherwise the item has it; `status` where the index is by status."""

    place: Place
    key: Key
    row: Row | None = None
    status: RowStatus | None = None


def row_of(item: Item) -> Row:
    """The row of a referral's or an invite's item. Raises KeyError or TypeError for another one."""
    if item["type"] == Invite.TYPE:
        invite = Invite.from_item(item)
        return Row(
            row_id=invite.invite_id,
            referrer_id=invite.referrer_id,
            status="INVITE_SENT",
            created_at=invite.created_at,
            updated_at=invite.created_at,
        )
    referral = Referral.from_item(item)
    return Row(
        row_id=referral.referred_id,
        referrer_id=referral.referrer_id,
        status=referral.status,
        created_at=referral.created_at,
        updated_at=referral.updated_at,
        email=referral.email,
        first_name=referral.first_name,
        last_name=referral.last_name,
    )


def by_status(
    scope: Scope, status: RowStatus, limit: int, *, descending: bool, start: Place | None = None
) -> list[Entry]:
    """The first `limit` rows with a status by the time of their last change, from a place on
    (inclusive) or from the end that comes first."""
    low, high = places.moment(status, 0), places.moment(status, _END_OF_TIME)
    at = places.by_status(status, int(start.value), start.row_id) if start else None
    if scope.participant_id is None:
        partition = places.referral_list_with(scope.campaign_id, status)
        found = _stretch(
            CAMPAIGN_BY_STATUS, partition, (low, high), at, limit, descending=descending
        )
        return [_shown(entry, status) for entry in found]
    found = _stretch(BY_STATUS, _partition(scope), (low, high), at, limit, descending=descending)
    return [Entry(_timed(entry["statusPlace"]), _key(entry), status=status) for entry in found]


def by_created(
    scope: Scope, limit: int, *, descending: bool, start: Place | None = None
) -> list[Entry]:
    """The same of all rows by the time of their creation."""
    at = places.by_created(int(start.value), start.row_id) if start else None
    index, partition = _list_of(scope, BY_CREATED, CAMPAIGN_BY_CREATED)
    found = _stretch(index, partition, (_FIRST, _LAST), at, limit, descending=descending)
    return [Entry(_timed(entry["createdPlace"]), _key(entry)) for entry in found]


def by_email(
    scope: Scope, limit: int, *, descending: bool, start: Place | None = None
) -> list[Entry]:
    """The same by e-mail address, as addresses are compared."""
    at = places.by_email(str(start.value), start.row_id) if start else None
    index, partition = _list_of(scope, BY_EMAIL, CAMPAIGN_BY_EMAIL)
    found = _stretch(index, partition, (_FIRST, _LAST), at, limit, descending=descending)
    return [
        Entry(Place(*places.email_and_row_in(entry["emailPlace"])), _key(entry)) for entry in found
    ]


def completed(entries: Sequence[Entry]) -> list[Row]:
    """The rows of the entries, without those that have gone away since. What an index by status
    told of a row is shown as the index had it, so that a page keeps to its order and filter."""
    found = store.get_many(entry.key for entry in entries if entry.row is None)
    rows: list[Row] = []
    for entry in entries:
        if entry.row is not None:
            rows.append(entry.row)
        elif entry.key in found:
            row = row_of(found[entry.key])
            if entry.status is not None:
                row = replace(row, status=entry.status, updated_at=int(entry.place.value))
            rows.append(row)
    return rows


Kind = Literal["REFERRAL", "INVITE"]
_PREFIXES: dict[Kind, str] = {"REFERRAL": keys.REFERRAL_PREFIX, "INVITE": keys.INVITE_PREFIX}


def of_participant(
    scope: Scope, kind: Kind, limit: int, start: str | None = None
) -> list[tuple[str, Row]]:
    """The first `limit` rows of a participant in the table's order, each with where it stands in
    it; from such a place on (inclusive) or from the beginning. Strongly consistent."""
    prefix = _PREFIXES[kind]
    between = (start or prefix, f"{prefix}~")
    items = store.query(None, _partition(scope), limit=limit, between=between)
    return [(item["sort"], row_of(item)) for item in items]


def find(scope: Scope, referrer_id: str, row_id: str) -> Row | None:
    """The row of a referrer with that id; None where there is none in the scope."""
    if scope.participant_id not in (None, referrer_id):
        return None
    campaign_id = scope.campaign_id
    key = keys.referral(campaign_id, referrer_id, row_id)
    if row_id.startswith(f"{referrer_id}-"):
        key = keys.invite(campaign_id, referrer_id, row_id.removeprefix(f"{referrer_id}-"))
    item = store.get(key)
    return row_of(item) if item else None


def _stretch(
    index: Index,
    partition: str,
    bounds: tuple[str, str],
    at: str | None,
    limit: int,
    *,
    descending: bool,
) -> list[Item]:
    low, high = bounds
    between = (low, at or high) if descending else (at or low, high)
    return store.query(index, partition, limit=limit, descending=descending, between=between)


def _list_of(scope: Scope, local: Index, of_campaign: Index) -> tuple[Index, str]:
    if scope.participant_id is None:
        return of_campaign, places.referral_list(scope.campaign_id)
    return local, _partition(scope)


def _partition(scope: Scope) -> str:
    if scope.participant_id is None:
        raise ValueError("the scope is a campaign")
    return keys.profile(scope.campaign_id, scope.participant_id).partition


def _timed(place: str) -> Place:
    return Place(places.time_in(place), places.row_id_in(place))


def _key(entry: Item) -> Key:
    return Key(entry["partition"], entry["sort"])


def _shown(entry: Item, status: RowStatus) -> Entry:
    place = _timed(entry["statusPlace"])
    told: dict[str, Any] = {}
    if places.is_referral(entry["sort"]):
        told = {
            "email": entry["email"],
            "first_name": entry.get("firstName"),
            "last_name": entry.get("lastName"),
        }
    row = Row(
        row_id=place.row_id,
        referrer_id=keys.participant_in(entry["partition"]),
        status=status,
        created_at=entry["createdAt"],
        updated_at=int(place.value),
        **told,
    )
    return Entry(place, _key(entry), row)
