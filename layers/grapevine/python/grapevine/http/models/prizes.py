"""Wins, prizes and single events, as the GamifyHost API shows them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from grapevine.engine.mechanics.fields import Instant, instant_text
from grapevine.engine.mechanics.prizes import Figures, Prize
from grapevine.engine.mechanics.proofs import Proof
from grapevine.engine.mechanics.reading import Page, Shown, Told
from grapevine.http.models.event_fields import UserId
from grapevine.http.models.fields import Limit, Output, Query
from grapevine.http.models.players import Cursor, LedgerEntry
from grapevine.table.ledger import PlayerEvent, Reversal
from grapevine.table.mechanics import MechanicsVersion


class ListPlayerWins(Query):
    limit: Limit = 20
    cursor: Cursor | None = None


class ListWins(ListPlayerWins):
    """`tier` is a tier's id or name; `from` and `to` are times with an offset, both included."""

    tier: Annotated[str, StringConstraints(max_length=100)] | None = None
    first_at: Annotated[Instant | None, Field(alias="from")] = None
    last_at: Annotated[Instant | None, Field(alias="to")] = None


class ReadEvent(Query):
    """Whose event it is: events are kept with their players."""

    user_id: UserId


class WinEntry(Output):
    """`pointsEarned` are paid at once or by the code; `codeStatus` is ACTIVE, REDEEMED, EXPIRED or
    REVOKED, null where the code is gone."""

    id: str
    user_id: str
    prize_tier: str
    tier_id: str
    points_earned: int
    win_code: str
    code_status: str | None
    event_id: str
    won_at: str
    expires_at: str

    @classmethod
    def of(cls, shown: Shown) -> WinEntry:
        win = shown.win
        return cls(
            id=f"win_{win.event_id.removeprefix('evt_')}",
            user_id=win.user_id,
            prize_tier=win.tier_name,
            tier_id=win.tier_id,
            points_earned=win.points,
            win_code=win.code,
            code_status=shown.code_status,
            event_id=win.event_id,
            won_at=instant_text(win.at),
            expires_at=instant_text(win.expires_at),
        )


class Wins(Output):
    wins: list[WinEntry]
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[Shown]) -> Wins:
        return cls(wins=[WinEntry.of(each) for each in page.rows], next_cursor=page.next_place)


class PrizeEntry(Output):
    """`inventory` and `remaining` are null where a prize is unlimited. `awardedToday` is null
    without a `perDay`, and where prizes are hidden in time."""

    id: str
    name: str
    points: int
    inventory: int | None
    awarded: int
    remaining: int | None
    per_day: int | None
    awarded_today: int | None

    @classmethod
    def of(cls, prize: Prize) -> PrizeEntry:
        return cls(
            id=prize.tier.id,
            name=prize.tier.name,
            points=prize.tier.points,
            inventory=prize.tier.inventory,
            awarded=prize.awarded,
            remaining=prize.remaining,
            per_day=prize.tier.per_day,
            awarded_today=prize.awarded_today,
        )


class Prizes(Output):
    prizes: list[PrizeEntry]


class CampaignStats(Output):
    """`participants` are all players: who has ever had an event or been linked."""

    participants: int
    prizes: list[PrizeEntry]

    @classmethod
    def of(cls, figures: Figures) -> CampaignStats:
        prizes = [PrizeEntry.of(each) for each in figures.prizes]
        return cls(participants=figures.participants, prizes=prizes)


class EventMoment(Output):
    """The moment that an event has won: unit `number` (from 0) of those that version
    `configVersion` of the mechanics hid from `startsAt` to `endsAt`, so many of each tier as
    `prizes` says."""

    at: str
    number: int
    config_version: int
    starts_at: str
    ends_at: str
    prizes: dict[str, int]

    @classmethod
    def of(cls, event: PlayerEvent, version: MechanicsVersion) -> EventMoment:
        return cls(
            at=instant_text(event.moment_at or 0),
            number=event.moment_number or 0,
            config_version=version.version,
            starts_at=instant_text(version.hidden_from or 0),
            ends_at=instant_text(version.hidden_until or 0),
            prizes=version.hidden,
        )


class EventDraw(Output):
    """`draw` is there where the event drew by odds; `drawNumber` is that of the secret that decided
    it, or hid the prize that it has won, `drawCommitment` its SHA-256. `drawSecret` and `moment`,
    where one was won, are null as long as the secret is not told. `tierHit` is what it hit,
    `tierWon` what was given, `downgrade` why they differ."""

    played: bool
    draw: int | None
    draw_number: int | None
    draw_commitment: str | None
    draw_secret: str | None
    moment: EventMoment | None
    tier_hit: str | None
    tier_won: str | None
    downgrade: str | None


def _drawn(event: PlayerEvent, proof: Proof) -> EventDraw:
    moment = EventMoment.of(event, proof.hidden_by) if proof.hidden_by else None
    return EventDraw(
        played=event.played,
        draw=event.draw_value,
        draw_number=event.secret_number,
        draw_commitment=proof.commitment,
        draw_secret=proof.secret,
        moment=moment,
        tier_hit=event.tier_hit,
        tier_won=event.tier_won,
        downgrade=event.downgrade,
    )


class EventReversal(Output):
    """`points` were taken back, `uncovered` could not be; `codeStatus` is its code's since then."""

    points: int
    uncovered: int
    code_status: str | None
    reversed_at: str

    @classmethod
    def of(cls, reversal: Reversal) -> EventReversal:
        return cls(
            points=reversal.points,
            uncovered=reversal.uncovered,
            code_status=reversal.code_status,
            reversed_at=instant_text(reversal.at),
        )


class RecordedEvent(Output):
    """An event as it was taken, judged by the configuration of `configVersion`. `ledger` holds the
    lines of its reversal as well, if there was one."""

    id: str
    user_id: str
    event_type: str
    metadata: dict[str, Any]
    source: str
    trust: str
    config_version: int
    points_earned: int
    total_points: int
    instant_win: EventDraw
    ledger: list[LedgerEntry]
    reversal: EventReversal | None
    created_at: str

    @classmethod
    def of(cls, told: Told) -> RecordedEvent:
        event = told.event
        return cls(
            id=event.event_id,
            user_id=event.user_id,
            event_type=event.event_type,
            metadata=event.metadata,
            source=event.source,
            trust=event.trust,
            config_version=event.config_version,
            points_earned=event.points_earned,
            total_points=event.total_points,
            instant_win=_drawn(event, told.proof),
            ledger=[LedgerEntry.of(line) for line in told.lines],
            reversal=EventReversal.of(told.reversal) if told.reversal else None,
            created_at=instant_text(event.at),
        )
