"""The secret of a campaign that visitors, addresses and invited people are hashed with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from grapevine.table import keys
from grapevine.table.entity import Entity
from grapevine.table.keys import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Salt(Entity):
    """Made once, never changed, never shown."""

    TYPE: ClassVar[str] = "Salt"

    campaign_id: str
    salt: str

    @property
    def key(self) -> Key:
        return keys.salt(self.campaign_id)
