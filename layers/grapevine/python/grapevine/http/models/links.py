"""Links between players and participants, as the GamifyHost API takes and shows them."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from grapevine.http.models.event_fields import Lenient
from grapevine.http.models.fields import Output
from grapevine.table.player_links import PlayerLink

LONGEST_NAME = 1000


class LinkPlayer(Lenient):
    """The participant by its id or by its e-mail address: one of them."""

    participant_id: (
        Annotated[str, Field(min_length=1, max_length=100, pattern="^[^@]*$")] | None
    ) = None
    email: Annotated[str, Field(min_length=3, max_length=LONGEST_NAME, pattern="@")] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.participant_id is None) == (self.email is None):
            raise PydanticCustomError("one_of", "must have either participantId or email")
        return self

    @property
    def named(self) -> str:
        """What the participant is found by."""
        return self.email or self.participant_id or ""


class LinkedPlayer(Output):
    """`participantId` is null for a player who is linked to nobody."""

    user_id: str
    participant_id: str | None

    @classmethod
    def of(cls, link: PlayerLink) -> LinkedPlayer:
        return cls(user_id=link.user_id, participant_id=link.participant_id)
