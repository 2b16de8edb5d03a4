"""Players, their milestones and ledgers, and the leaderboard, as the GamifyHost API shows them."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, WithJsonSchema

from grapevine.engine.mechanics.board import Board, Entry
from grapevine.engine.mechanics.fields import instant_text
from grapevine.engine.mechanics.reading import Page
from grapevine.engine.mechanics.standing import Described, Standing
from grapevine.engine.webhooks.games import ledger_id
from grapevine.http.models.event_fields import UserId
from grapevine.http.models.fields import Limit, Output, Query
from grapevine.table.ledger import LedgerLine, Reason
from grapevine.table.players import Player
from grapevine.table.points_board import Period

Cursor = Annotated[str, StringConstraints(max_length=200)]
Number = Annotated[int | Decimal, WithJsonSchema({"type": "number"})]


class ReadPlayer(Query):
    """`expand=progress` shows the milestones as well."""

    expand: Literal["progress"] | None = None

    @property
    def with_progress(self) -> bool:
        return self.expand is not None


class ReadPointsLeaderboard(Query):
    """`userId` asks for that player's rank and neighbours as well. `period` is a board that the
    campaign keeps: of the day, week or month that it is there."""

    limit: Limit = 20
    user_id: UserId | None = None
    period: Literal["day", "week", "month", "all"] = "all"

    @property
    def of_period(self) -> Period | None:
        return None if self.period == "all" else self.period


class ReadLedger(Query):
    """`type` is a reason: of what kind the lines are. `cursor` as an earlier page gave it."""

    limit: Limit = 20
    cursor: Cursor | None = None
    type: Reason | None = None


class MilestoneStanding(Output):
    """`longest` is there for a streak; `reachedAt` is when it was reached the last time."""

    id: str
    name: str
    current: Number
    longest: int | None = None
    threshold: Number
    percent: int
    reached_count: int
    reached_at: str | None

    @classmethod
    def of(cls, standing: Standing) -> MilestoneStanding:
        progress = standing.progress
        longest = {} if progress.longest is None else {"longest": progress.longest}
        return cls(
            id=progress.milestone.id,
            name=progress.milestone.name,
            current=progress.current,
            threshold=progress.threshold,
            percent=progress.percent,
            reached_count=progress.reached_count,
            reached_at=_instant(standing.reached_at),
            **longest,
        )


class MilestoneStandings(Output):
    milestones: list[MilestoneStanding]


class PlayerState(Output):
    """`totalPoints` and `eventsCount` are those of now, `rank` is a moment behind, and null off the
    board. `progress` is there where it was asked for."""

    user_id: str
    display_name: str | None
    total_points: int
    events_count: int
    rank: int | None
    joined_at: str
    progress: list[MilestoneStanding] | None = None

    @classmethod
    def of(cls, described: Described) -> PlayerState:
        given: dict[str, Any] = {}
        if described.milestones is not None:
            given["progress"] = [MilestoneStanding.of(each) for each in described.milestones]
        player = described.player
        return cls(
            user_id=player.user_id,
            display_name=player.display_name,
            total_points=player.total_points,
            events_count=player.events_count,
            rank=described.rank,
            joined_at=instant_text(player.joined_at),
            **given,
        )


class LeaderboardEntry(Output):
    """`totalPoints` and `eventsCount` are those of the board's period."""

    rank: int
    user_id: str
    display_name: str | None
    total_points: int
    events_count: int

    @classmethod
    def of(cls, entry: Entry) -> LeaderboardEntry:
        return cls(
            rank=entry.rank,
            user_id=entry.user_id,
            display_name=entry.display_name,
            total_points=entry.total_points,
            events_count=entry.events_count,
        )


class PointsLeaderboard(Output):
    """`period`, `from` and `to`, both included, are there where a day, week or month was asked for.
    `participant` and `neighbours` are there with `userId`: that player, null off the board, and
    the two on either side, with the player between them."""

    period: Period | None = None
    starts_at: Annotated[str | None, Field(alias="from")] = None
    ends_at: Annotated[str | None, Field(alias="to")] = None
    entries: list[LeaderboardEntry]
    total_participants: int
    participant: LeaderboardEntry | None = None
    neighbours: list[LeaderboardEntry] | None = None

    @classmethod
    def of(cls, board: Board, user_id: str | None) -> PointsLeaderboard:
        given: dict[str, Any] = {}
        if board.span is not None:
            first, last = board.span
            given["period"] = board.period
            given |= {"starts_at": instant_text(first), "ends_at": instant_text(last)}
        if user_id is not None:
            given["participant"] = LeaderboardEntry.of(board.own) if board.own else None
            given["neighbours"] = [LeaderboardEntry.of(each) for each in board.around]
        return cls(
            entries=[LeaderboardEntry.of(each) for each in board.entries],
            total_participants=board.total_participants,
            **given,
        )


class LedgerEntry(Output):
    """`ruleId` is the id of the rule, milestone, tier or batch of codes that gave the points, or
    whose points a reversal takes back."""

    id: str
    points: int
    reason: str
    rule_id: str
    event_id: str
    event_type: str
    balance_after: int
    created_at: str

    @classmethod
    def of(cls, line: LedgerLine) -> LedgerEntry:
        return cls(
            id=ledger_id(line),
            points=line.points,
            reason=line.reason,
            rule_id=line.source_id,
            event_id=line.event_id,
            event_type=line.event_type,
            balance_after=line.balance_after,
            created_at=instant_text(line.at),
        )


class Ledger(Output):
    entries: list[LedgerEntry]
    total_points: int
    next_cursor: str | None

    @classmethod
    def of(cls, player: Player, page: Page[LedgerLine]) -> Ledger:
        return cls(
            entries=[LedgerEntry.of(line) for line in page.rows],
            total_points=player.total_points,
            next_cursor=page.next_place,
        )


def _instant(at: int | None) -> str | None:
    return None if at is None else instant_text(at)
