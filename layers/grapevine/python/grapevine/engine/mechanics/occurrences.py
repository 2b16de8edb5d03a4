"""An event as it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grapevine.table.ledger import Source, Trust

INTERNAL_PREFIX = "internal:"
"""Types of events that only Grapevine itself makes; from outside they are refused."""

REFERRAL_CREDITED = f"{INTERNAL_PREFIX}referral_credited"
"""A referral of the player has been credited; `referredId` in its metadata is the friend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """`at` (ms) is the server's clock, never the client's."""

    event_id: str
    user_id: str
    event_type: str
    metadata: Mapping[str, Any]
    at: int
    trust: Trust
    source: Source

    def is_trusted(self, required: Trust) -> bool:
        return self.trust == "server" or required == "client"
