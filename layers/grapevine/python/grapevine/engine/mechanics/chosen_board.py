"""Which of a campaign's boards is looked at, and what a player has on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from grapevine import runtime
from grapevine.engine.mechanics.campaign import Played
from grapevine.engine.mechanics.period_scores import score_of
from grapevine.engine.mechanics.periods import periods_at, span_of
from grapevine.errors import InvalidRequest, Problem
from grapevine.table.players import Player
from grapevine.table.points_board import Period, PointsBoard, Ranked, position


class Score(NamedTuple):
    """`reached_at` (ms) is when the points became what they are."""

    points: int
    reached_at: int
    events: int


@dataclass(frozen=True, slots=True)
class ChosenBoard:
    """`span` is the first and the last millisecond of the period, None for all time."""

    of: PointsBoard
    span: tuple[int, int] | None = None

    def score_of(self, player: Player) -> Score | None:
        """None for who is not on it: of a period, whoever has had no event in it."""
        if self.of.period is None:
            return Score(player.total_points, player.reached_at, player.events_count)
        found = score_of(player.counters, self.of.period)
        if found is None or found.number != self.of.number:
            return None
        return Score(found.points, found.reached_at, found.events)

    def place_of(self, player: Player) -> Ranked | None:
        """Where the player's state, which is what is true now, puts it."""
        score = self.score_of(player)
        return score and Ranked(player.user_id, position(score.points, score.reached_at))


def of_all_time(played: Played) -> ChosenBoard:
    return ChosenBoard(PointsBoard(played.campaign.campaign_id))


def of_current(played: Played, period: Period) -> ChosenBoard:
    """The board of the day, week or month that it is in the campaign's time zone.

    Raises:
        InvalidRequest: the campaign keeps none.
    """
    configuration = played.configuration
    if period not in configuration.leaderboard.periods:
        message = (
            f"The campaign keeps no leaderboard of the {period}: "
            f"its mechanics do not name it in leaderboard.periods."
        )
        problem = Problem("query", "period", "not_kept", message, period)
        raise InvalidRequest("Invalid request parameters", problem)
    number = periods_at(runtime.now_ms(), configuration.timezone).number(period)
    board = PointsBoard(played.campaign.campaign_id, period, number)
    return ChosenBoard(board, span_of(period, number, configuration.timezone))
