"""The leaderboard of a month that is over. The GrowSurf API has none."""

from __future__ import annotations

from grapevine.engine.month_end.snapshot import FinalPlace, MonthPage
from grapevine.engine.participants.describe import Description
from grapevine.http.models.fields import Limit, Output, Query
from grapevine.http.models.participants import Participant


class ReadMonth(Query):
    """`nextId` is the first participant of the page wanted."""

    limit: Limit = 10
    next_id: str | None = None


class FinalParticipant(Participant):
    """A participant as it is now, with the rank that it had when the month was closed and the
    referrals that were credited in the month."""

    final_rank: int
    final_referral_count: int

    @classmethod
    def at(cls, place: FinalPlace, shown: Description) -> FinalParticipant:
        now = Participant.of(shown)
        return cls.model_construct(
            **{name: getattr(now, name) for name in now.model_fields_set},
            final_rank=place.rank,
            final_referral_count=place.count,
        )


class MonthLeaderboard(Output):
    """`month` is written `2026-11`. `nextId` begins the next page; null on the last one. A page is
    shorter than `limit` by those who have been deleted since."""

    month: str
    participants: list[FinalParticipant]
    limit: int
    next_id: str | None

    @classmethod
    def of(
        cls, found: MonthPage, shown: list[Description], *, month: str, limit: int
    ) -> MonthLeaderboard:
        rows = zip(found.places, shown, strict=True)
        return cls.model_construct(
            month=month,
            participants=[FinalParticipant.at(place, one) for place, one in rows],
            limit=limit,
            next_id=found.next_id,
        )
