"""How a repeated request about codes is known, by the key that came with it.

Each kind of request has keys of its own: the key of an event says nothing about a batch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from grapevine.errors import KeyReused
from grapevine.table import mechanics_keys
from grapevine.table.attributes import Item
from grapevine.table.keys import Key
from grapevine.table.receipts import Receipt

Kind = Literal["codes", "redeem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetition:
    """`key_hash` is None for a request without a key, which is always a new one."""

    campaign_id: str
    key_hash: str | None
    fingerprint: str

    @classmethod
    def of(cls, campaign_id: str, kind: Kind, key: str | None, *asked: object) -> Repetition:
        """`asked` is what must be the same in a repetition."""
        return cls(
            campaign_id=campaign_id,
            key_hash=_hash([kind, key])[:40] if key is not None else None,
            fingerprint=_hash(list(asked)),
        )

    def keys(self) -> list[Key]:
        if self.key_hash is None:
            return []
        return [mechanics_keys.receipt(self.campaign_id, self.key_hash)]

    def first(self, found: Mapping[Key, Item]) -> Receipt | None:
        """The receipt of the first such request.

        Raises:
            KeyReused: the key came with another request then.
        """
        for key in self.keys():
            if key in found:
                receipt = Receipt.from_item(found[key])
                if receipt.fingerprint != self.fingerprint:
                    raise KeyReused
                return receipt
        return None

    def receipts(self, about: str, body: str, at: int) -> list[Receipt]:
        """What to write with it; `about` is the id of what came of it."""
        if self.key_hash is None:
            return []
        receipt = Receipt(
            campaign_id=self.campaign_id,
            key_hash=self.key_hash,
            event_id=about,
            fingerprint=self.fingerprint,
            body=body,
            created_at=at,
        )
        return [receipt]


def _hash(told: list[object]) -> str:
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()
