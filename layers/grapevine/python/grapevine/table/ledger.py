"""What a player has done and got: events, the lines of the ledger, milestones and wins.

All of them are written once, with the player's state, and none is changed afterwards: that a win's
code was used is told by the code's own item, and that an event was taken back by its reversal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from grapevine.table import mechanics_keys, places, player_keys
from grapevine.table.attributes import Item
from grapevine.table.entity import Entity, as_exact_json, as_json
from grapevine.table.keys import Key

Trust = Literal["client", "server"]
Source = Literal["gamifyhost", "referd", "internal"]
Reason = Literal["rule", "instant_win", "milestone", "code", "reversal"]
Credit = Literal["immediate", "on_redeem"]
Downgrade = Literal["sold_out", "per_day", "per_user", "wins_per_user"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerEvent(Entity):
    """An event and all that is needed to judge it again.

    `draw_value` is there where it drew by odds, with the secret of that number; `tier_hit` is the
    tier that the draw named, `tier_won` the one that was given, and `downgrade` why they differ.
    Who has won by a moment has its time (ms), its number, and the version of the mechanics that hid
    it, by the secret of `secret_number`.
    `code_hash` is that of the code which it redeemed. `qualifies` is the participant whose referral
    is to be credited for the event: the one that the player was then. `counted_in` holds, by the
    kind of period, the number of the one whose board counts the event.
    """

    TYPE: ClassVar[str] = "PlayerEvent"

    campaign_id: str
    user_id: str
    event_id: str
    event_type: str
    metadata: dict[str, Any] = as_exact_json()
    at: int
    trust: Trust
    source: Source
    config_version: int
    points_earned: int = 0
    win_points: int = 0
    total_points: int
    played: bool = False
    draw_value: int | None = None
    secret_number: int | None = None
    tier_hit: str | None = None
    tier_won: str | None = None
    downgrade: Downgrade | None = None
    moment_at: int | None = None
    moment_number: int | None = None
    moment_version: int | None = None
    code_hash: str | None = None
    qualifies: str | None = None
    counted_in: dict[str, int] = as_json()

    @property
    def key(self) -> Key:
        return player_keys.player_event(self.campaign_id, self.user_id, self.event_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine(Entity):
    """A change of a player's total. `source_id` is the rule's, milestone's, tier's or batch's id.

    A reversal has that of the line it takes back. `uncovered` are the points that it could not
    take, because there were no more.
    """

    TYPE: ClassVar[str] = "LedgerLine"

    campaign_id: str
    user_id: str
    at: int
    event_id: str
    number: int
    points: int
    balance_after: int
    reason: Reason
    source_id: str
    event_type: str
    uncovered: int | None = None

    @property
    def key(self) -> Key:
        return player_keys.ledger_line(
            self.campaign_id, self.user_id, self.at, self.event_id, self.number
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneAward(Entity):
    """That an event reached a milestone: for the `number`-th time, `times` of them at once."""

    TYPE: ClassVar[str] = "MilestoneAward"

    campaign_id: str
    user_id: str
    milestone_id: str
    number: int
    times: int = 1
    at: int
    event_id: str
    points: int = 0
    badge: str | None = None
    extra_plays: int = 0

    @property
    def key(self) -> Key:
        return player_keys.milestone_award(
            self.campaign_id, self.user_id, self.milestone_id, self.number
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Win(Entity):
    """`points` are what the prize is worth, paid at once or by its code, as `credit` says."""

    TYPE: ClassVar[str] = "Win"

    campaign_id: str
    user_id: str
    event_id: str
    at: int
    tier_id: str
    tier_name: str
    points: int
    credit: Credit
    code: str
    expires_at: int

    @property
    def key(self) -> Key:
        return player_keys.win(self.campaign_id, self.user_id, self.at, self.event_id)

    def index_attributes(self) -> Item:
        return {
            "referralList": mechanics_keys.win_list(self.campaign_id),
            "createdPlace": places.by_created(self.at, self.event_id),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal(Entity):
    """That an event was taken back: at most once, so this is also the receipt of it.

    `points` were taken, `uncovered` could not be; `code_status` is what became of its code.
    """

    TYPE: ClassVar[str] = "Reversal"

    campaign_id: str
    user_id: str
    event_id: str
    at: int
    points: int
    uncovered: int = 0
    total_points: int
    code_status: str | None = None
    reversed_by: str

    @property
    def key(self) -> Key:
        return player_keys.reversal(self.campaign_id, self.user_id, self.event_id)
