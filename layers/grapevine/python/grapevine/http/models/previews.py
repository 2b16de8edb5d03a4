"""What an event would earn, as it is asked for and told."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from grapevine.engine.mechanics.previewing import Preview
from grapevine.http.models.event_fields import EventMetadata, EventType, Lenient, UserId
from grapevine.http.models.fields import Output
from grapevine.http.models.gamifyhost import MilestoneReached


class PreviewEvent(Lenient):
    """As `RecordEvent`, without anything that tells a repetition."""

    user_id: UserId
    event_type: EventType
    metadata: EventMetadata = Field(default_factory=dict)


class PreviewedPlay(Output):
    """`played`: the event would make a draw. What it would win nobody is told."""

    played: bool


class EventPreview(Output):
    """As the answer to the event, but for the draw: `pointsEarned`, `totalPoints` and `milestones`
    are what they would be if it won nothing. `repeated` is there, and true, where the event was
    recorded before and would earn nothing again."""

    points_earned: int
    total_points: int
    instant_win: PreviewedPlay | None = None
    milestones: list[MilestoneReached] | None = None
    repeated: bool | None = None

    @classmethod
    def of(cls, preview: Preview) -> EventPreview:
        given: dict[str, Any] = {}
        if preview.plays is not None:
            given["instant_win"] = PreviewedPlay(played=preview.plays)
        if preview.milestones:
            given["milestones"] = [MilestoneReached.of(each) for each in preview.milestones]
        if preview.is_repeated:
            given["repeated"] = True
        return cls(points_earned=preview.points_earned, total_points=preview.total_points, **given)
