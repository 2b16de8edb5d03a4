"""How a repeated request is known as the same event.

A client's own key, sent with the request, makes it one: sent again with another event it is a
mistake. A natural key, which the mechanics name (an order's number, a calendar day), makes it one
whatever else the event says. Receipts are kept as long as their campaign: points are worth money,
and a late retry must not earn them twice.

Keys of either kind can be guessed, and anybody can read an app's key. So what nobody vouches for
has receipts of its own: it never stands for an event that a server sends. The reverse may be.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from grapevine.engine.mechanics.numbers import number_in, spelled
from grapevine.errors import KeyReused
from grapevine.table import exact_json, mechanics_keys
from grapevine.table.attributes import Item
from grapevine.table.keys import Key
from grapevine.table.ledger import Trust
from grapevine.table.receipts import Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What makes an event of a campaign the one that it is."""

    campaign_id: str
    event_id: str
    explicit_hash: str | None
    natural_hash: str | None
    vouched_hash: str | None
    origin_hash: str | None
    fingerprint: str

    @classmethod
    def of(
        cls,
        campaign_id: str,
        *,
        explicit: str | None,
        natural: str | None,
        fingerprint: str,
        origin: str | None = None,
        trust: Trust = "server",
    ) -> Identity:
        """An event without any key is always a new one. `origin` names what an event follows from;
        it is the last to name it, so that an event with a natural key is the same one, with the
        same draw, by whatever way it comes. `vouched_hash` is the natural key's of the same event
        from a server: what a client sends is known by it, but does not make it known."""
        scope = [] if trust == "server" else [trust]
        explicit_hash = _hash(*scope, "key", explicit) if explicit is not None else None
        natural_hash = _hash(*scope, "natural", natural) if natural is not None else None
        is_vouched = bool(natural is not None and scope)
        origin_hash = _hash("origin", origin) if origin is not None else None
        known_by = explicit_hash or natural_hash or origin_hash or secrets.token_hex(32)
        return cls(
            campaign_id=campaign_id,
            event_id=f"evt_{_hash(campaign_id, known_by)[:24]}",
            explicit_hash=explicit_hash,
            natural_hash=natural_hash,
            vouched_hash=_hash("natural", str(natural)) if is_vouched else None,
            origin_hash=origin_hash,
            fingerprint=fingerprint,
        )

    def keys(self) -> list[Key]:
        hashes = (self.explicit_hash, self.natural_hash, self.vouched_hash, self.origin_hash)
        return [mechanics_keys.receipt(self.campaign_id, one) for one in hashes if one]

    def first(self, found: Mapping[Key, Item]) -> Receipt | None:
        """The receipt of the event that was recorded before; None for a new one.

        Raises:
            KeyReused: the client's key was sent with another event.
        """
        for key in self.keys():
            if key not in found:
                continue
            receipt = Receipt.from_item(found[key])
            if receipt.fingerprint not in (None, self.fingerprint):
                raise KeyReused
            return receipt
        return None

    def named_anew(self, first: Receipt, at: int) -> Receipt | None:
        """What makes the client's key known, where the event was known by another one: else the
        key would be a new one as soon as the other is, on the next day, and with any event. None
        where there is no key, or `first` is its own receipt."""
        if self.explicit_hash is None or first.key_hash == self.explicit_hash:
            return None
        return replace(
            first, key_hash=self.explicit_hash, fingerprint=self.fingerprint, created_at=at
        )

    def receipts(self, body: str, at: int) -> list[Receipt]:
        told = [
            (self.explicit_hash, self.fingerprint),
            (self.natural_hash, None),
            (self.origin_hash, None),
        ]
        return [
            Receipt(
                campaign_id=self.campaign_id,
                key_hash=key_hash,
                event_id=self.event_id,
                fingerprint=fingerprint,
                body=body,
                created_at=at,
            )
            for key_hash, fingerprint in told
            if key_hash is not None
        ]


def fingerprint_of(user_id: str, event_type: str, metadata: Mapping[str, Any]) -> str:
    """The same for the same event, in whatever order its metadata came and however its numbers were
    written; a text that spells a number is another value."""
    told = exact_json.dumps([user_id, event_type, _canonical(metadata)])
    return hashlib.sha256(told.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    match value:
        case Mapping():
            return {name: _canonical(value[name]) for name in sorted(value)}
        case list() | tuple():
            return [_canonical(each) for each in value]
        case str():
            return value
    number = number_in(value)
    return value if number is None else Decimal(spelled(number))


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40]
