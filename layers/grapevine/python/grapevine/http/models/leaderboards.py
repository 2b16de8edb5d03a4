"""What the leaderboard takes; it answers like the list of participants."""

from __future__ import annotations

from typing import Literal

from grapevine.engine.leaderboards import LeaderboardType
from grapevine.errors import UnsupportedProgram
from grapevine.http.models.fields import Limit, Query

_ForAffiliates = Literal["BY_COMMISSIONS", "BY_REVENUE", "BY_REFERRALS", "BY_LEADS"]


class ReadLeaderboard(Query):
    """`nextId` as an earlier page gave it, or the id of any participant to begin with.
    `isMonthly` is an older way to ask for CURRENT_MONTH; `leaderboardType` counts more."""

    limit: Limit = 10
    next_id: str | None = None
    is_monthly: bool = False
    leaderboard_type: Literal[LeaderboardType, _ForAffiliates] | None = None

    @property
    def board(self) -> LeaderboardType:
        """The board that is asked for.

        Raises:
            UnsupportedProgram: one that only affiliate programs have.
        """
        match self.leaderboard_type:
            case None:
                return "CURRENT_MONTH" if self.is_monthly else "ALL_TIME"
            case "BY_COMMISSIONS" | "BY_REVENUE" | "BY_REFERRALS" | "BY_LEADS":
                raise UnsupportedProgram("Only affiliate programs have this leaderboard.")
            case board:
                return board
