"""Work whose time has come: found and claimed by the sweep, done by whoever takes the message.

A claim moves the item's due time `LEASE_MS` ahead. If the work is then lost or keeps failing, the
item falls due again and the next sweep hands it out anew: nothing that is due is forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from grapevine import runtime
from grapevine.engine import credit
from grapevine.engine.participants import delete
from grapevine.table import due, keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.due import DueItem
from grapevine.table.keys import Key
from grapevine.table.referrals import Referral
from grapevine.table.standings import Standing

LEASE_MS = 20 * 60 * 1000
"""Longer than a message can stay in the queue through all its tries."""

_PER_SHARD = 250
_MESSAGES_PER_CALL = 10


class UnknownDueItem(Exception):
    """Something is in the due index that no code handles: a defect."""


def sweep() -> int:
    """Hands out what is due, at most 250 items of each shard; the next sweep goes on from there.

    Returns the number of messages sent. Dying between claim and message costs a lease of delay.
    """
    now = runtime.now_ms()
    claimed = [item for item in due.due_at(now, _PER_SHARD) if due.claim(item, now + LEASE_MS)]
    for start in range(0, len(claimed), _MESSAGES_PER_CALL):
        _send(claimed[start : start + _MESSAGES_PER_CALL])
    return len(claimed)


def _send(items: Sequence[DueItem]) -> None:
    response = runtime.sqs().send_message_batch(
        QueueUrl=runtime.settings().due_queue_url,
        Entries=[
            {"Id": str(index), "MessageBody": json.dumps(item.key._asdict())}
            for index, item in enumerate(items)
        ],
    )
    # A message that was not accepted falls due again when its claim ends.
    if response.get("Failed"):
        raise RuntimeError(f"{len(response['Failed'])} due items could not be queued")


def settle(message: str) -> None:
    """Does the work of one message of the sweep. Safe to repeat: it looks at the item as it is.

    Raises:
        Busy
        UnknownDueItem
    """
    body = json.loads(message)
    item = store.get(Key(body["partition"], body["sort"]))
    if item is None:
        return
    match item["type"]:
        case Referral.TYPE:
            referral = Referral.from_item(item)
            campaign = store.get(keys.campaign(referral.campaign_id))
            if campaign is not None:
                credit.settle(Campaign.from_item(campaign), referral)
        case Standing.TYPE:
            standing = Standing.from_item(item)
            if standing.deleted_at is not None:
                delete.erase(standing)
        case unknown:
            raise UnknownDueItem(unknown)
