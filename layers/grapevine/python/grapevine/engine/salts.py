"""A campaign's salt, and the hash by which an e-mail address is known without being told.

The hash is keyed: whoever sees it, as a part of an invite's id for example, cannot find the address
by trying addresses.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from grapevine import ids
from grapevine.engine.attempts import attempts
from grapevine.table import keys, store
from grapevine.table.attributes import Item
from grapevine.table.keys import Key
from grapevine.table.participants import normalise_email
from grapevine.table.salts import Salt
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, Put


def salt_in(found: Mapping[Key, Item], campaign_id: str) -> str | None:
    """The salt among items already read; None where the campaign has none yet."""
    item = found.get(keys.salt(campaign_id))
    return Salt.from_item(item).salt if item else None


def drawn(campaign_id: str) -> Salt:
    """A salt that has not been stored."""
    return Salt(campaign_id=campaign_id, salt=ids.hashing_secret())


def new_salt(campaign_id: str, within_seconds: float | None = None) -> str:
    """Made with a campaign's From address or its first visitor, or by whoever else needs it first;
    of two that come at once, one makes it.

    Raises:
        Busy: nothing was written.
    """
    made = drawn(campaign_id)
    for _ in attempts(within_seconds):
        try:
            store.transact([Put(made.to_item(), ABSENT)])
        except TransactionCanceled:
            found = salt_in(store.get_many([made.key]), campaign_id)
            if found is not None:
                return found
            continue
        return made.salt
    raise AssertionError("attempts() ends by raising Busy")


def address_hash(salt: str, email: str) -> str:
    """Twenty hexadecimal digits that stand for an e-mail address within a campaign; the same for
    all spellings that count as one address."""
    return _hash(salt, f"email\n{normalise_email(email)}")


def participant_hash(salt: str, participant_id: str) -> str:
    """What stands for a participant where a mark of it stays after its deletion."""
    return _hash(salt, f"participant\n{participant_id}")


def _hash(salt: str, text: str) -> str:
    return hmac.new(salt.encode(), text.encode(), hashlib.sha256).hexdigest()[:20]
