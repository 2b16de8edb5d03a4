"""Lists of referrals and invites, as the GrowSurf API shows and takes them."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from grapevine.engine.referral_lists.listing import Page, Wanted
from grapevine.engine.referral_lists.orders import STATUSES, Filters, SortBy
from grapevine.http.models.fields import Limit, Output, Query
from grapevine.table.referral_lists import RowStatus
from grapevine.table.referral_rows import Row

_ORDERS: tuple[SortBy, ...] = get_args(SortBy)
_MOST_OFFSET = 10**9


def _known_order(value: Any) -> SortBy:
    return value if value in _ORDERS else "updatedAt"


def _known_status(value: Any) -> RowStatus | None:
    return value if value in STATUSES else None


def _offset(value: Any) -> int:
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) < 100):
        raise PydanticCustomError("offset", "Offset must be a whole number of at least 0.")
    return min(int(text), _MOST_OFFSET)


class ListReferrals(Query):
    """An unknown order is the default one, an unknown status no filter (growsurf). `nextId` as an
    earlier page gave it, or the id of any row to begin with; it counts more than `offset`."""

    sort_by: Annotated[
        SortBy,
        PlainValidator(_known_order),
        WithJsonSchema({"type": "string", "enum": list(_ORDERS)}),
    ] = "updatedAt"
    desc: bool = True
    limit: Limit = 10
    offset: Annotated[
        int, PlainValidator(_offset), WithJsonSchema({"type": "integer", "minimum": 0})
    ] = 0
    next_id: str | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    referral_status: Annotated[
        RowStatus | None,
        PlainValidator(_known_status),
        WithJsonSchema({"type": "string", "enum": list(STATUSES)}),
    ] = None

    def to_engine(self) -> Wanted:
        """An empty filter is none."""
        filters = Filters(
            email=self.email or None,
            first_name=self.first_name or None,
            last_name=self.last_name or None,
            status=self.referral_status,
        )
        return Wanted(
            sort_by=self.sort_by,
            descending=self.desc,
            limit=self.limit,
            offset=self.offset,
            next_id=self.next_id,
            filters=filters,
        )


class ReferralRow(Output):
    """A referred participant, or an invite that nobody has answered (INVITE_SENT): its address is
    never shown."""

    id: str
    email: str
    first_name: str | None
    last_name: str | None
    referral_status: RowStatus
    referred_by: str
    created_at: Annotated[int, Field(description="Milliseconds since 1970")]
    updated_at: Annotated[int, Field(description="Milliseconds since 1970")]

    @classmethod
    def of(cls, row: Row) -> ReferralRow:
        return cls.model_construct(
            id=row.row_id,
            email=row.email,
            first_name=row.first_name,
            last_name=row.last_name,
            referral_status=row.status,
            referred_by=row.referrer_id,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


class ReferralList(Output):
    """`nextOffset` is null on the last page, and where the page was found by `nextId`."""

    referrals: list[ReferralRow]
    limit: int
    next_offset: int | None
    next_id: str | None
    more: bool

    @classmethod
    def of(cls, page: Page, limit: int) -> ReferralList:
        return cls.model_construct(
            referrals=[ReferralRow.of(row) for row in page.rows],
            limit=limit,
            next_offset=page.next_offset,
            next_id=page.next_id,
            more=page.next_id is not None,
        )
