"""Which changes of the table have consequences in a game, and the queue that they are put into.

A message names an item; `engine/mechanics/taking.py` looks at it and does what follows from it.
"""

from __future__ import annotations

from collections.abc import Sequence

from grapevine import runtime
from grapevine.engine import messages
from grapevine.table import event_keys
from grapevine.table.attributes import Change
from grapevine.table.inbox import InboxEvent
from grapevine.table.keys import Key
from grapevine.table.ledger import PlayerEvent
from grapevine.table.referrals import Referral


def handed_out_by(change: Change) -> tuple[Key, ...]:
    """The item, if something is to follow. Raises KeyError or TypeError for a broken record."""
    match change.new["type"]:
        case InboxEvent.TYPE if change.old is None:
            return (InboxEvent.from_item(change.new).key,)
        case PlayerEvent.TYPE if change.old is None and "qualifies" in change.new:
            return (PlayerEvent.from_item(change.new).key,)
        case Referral.TYPE if _is_credited(change):
            return (Referral.from_item(change.new).key,)
    return ()


def _is_credited(change: Change) -> bool:
    before = change.old["status"] if change.old else None
    return bool(change.new["status"] == "CREDIT_AWARDED" and before != "CREDIT_AWARDED")


def hand_out(item_keys: Sequence[Key]) -> None:
    """Each owner is a group of the queue: many events of one do not hold up the others.

    Raises:
        NotQueued: not all were taken; the records of the stream come again.
    """
    messages.send(runtime.settings().event_queue_url, item_keys, group_of=event_keys.owner_in)
