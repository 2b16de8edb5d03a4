"""Work whose time has come: found and claimed by the sweep, done by whoever takes the message.

A claim moves the item's due time `LEASE_MS` ahead. If the work is then lost or keeps failing, the
item falls due again and the next sweep hands it out anew: nothing that is due is forgotten.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from grapevine import runtime
from grapevine.engine import credit, messages
from grapevine.engine.mail import post, runs
from grapevine.engine.messages import UnknownItem
from grapevine.engine.parallel import in_parallel
from grapevine.engine.participants import delete
from grapevine.engine.rewards import leaderboard
from grapevine.engine.webhooks.dispatch import queue_keys
from grapevine.log import log_defect
from grapevine.table import due, keys, store
from grapevine.table.attributes import Item
from grapevine.table.campaigns import Campaign
from grapevine.table.due import DueItem
from grapevine.table.keys import Key
from grapevine.table.mail import Mail
from grapevine.table.mail_runs import MailRun
from grapevine.table.referrals import Referral
from grapevine.table.standings import Standing

LEASE_MS = 20 * 60 * 1000
"""Longer than a message can stay in the queue through all its tries."""

MAIL_HELD_MS = 5 * 60 * 1000
"""How long an e-mail that is due is left alone while others wait in the mail queue."""

MAIL_HELD_AT_MOST_MS = 2 * 60 * 60 * 1000
"""The age at which an e-mail that nobody has tried is left alone no longer."""

_PER_SHARD = 100
_SWEEP_SECONDS = 20.0


def sweep() -> int:
    """Hands out what is due until nothing is, or for 20 s; the next sweep goes on from there.
    Deliveries of webhooks and e-mails go to their own queues.

    Returns the number of messages sent. Dying between claim and message costs a lease of delay.
    """
    stop_at = time.monotonic() + _SWEEP_SECONDS
    sent, others_wait = 0, None
    while time.monotonic() < stop_at:
        now = runtime.now_ms()
        waiting = sorted(due.due_at(now, _PER_SHARD), key=lambda item: item.due_at)
        mails = [item for item in waiting if keys.is_mail(item.key)]
        # E-mails come last: no trouble with their queue is one of anything else.
        others = [item for item in waiting if not keys.is_mail(item.key)]
        claimed = _claimed(others, now + LEASE_MS)
        sent += _hand_out([item.key for item, _ in claimed])
        if mails and others_wait is None:
            others_wait = _others_wait()
        claimed_mails = _claimed(mails, now + (MAIL_HELD_MS if others_wait else LEASE_MS))
        if others_wait:
            ready = _not_held(claimed_mails, now)
        else:
            ready = [item.key for item, _ in claimed_mails]
        post.queue_keys(ready)
        sent += len(ready)
        if not claimed and not claimed_mails:
            break
    return sent


def _claimed(waiting: Sequence[DueItem], until: int) -> list[tuple[DueItem, Item]]:
    """Those that nobody else has claimed, with what they hold."""
    claims = in_parallel([partial(due.claim, item, until) for item in waiting])
    return [(each, item) for each, item in zip(waiting, claims, strict=True) if item is not None]


def _hand_out(claimed: Sequence[Key]) -> int:
    queue_keys([key for key in claimed if keys.is_delivery(key)])
    others = [key for key in claimed if not keys.is_delivery(key)]
    messages.send(runtime.settings().due_queue_url, others)
    return len(claimed)


def _others_wait() -> bool:
    """Whether messages wait in the mail queue, and so perhaps one of an e-mail that is due."""
    try:
        return post.is_any_waiting()
    except Exception as error:  # noqa: BLE001 - whatever it is, the rest must not wait for a count
        log_defect(error)
        return True


def _not_held(claimed: Sequence[tuple[DueItem, Item]], now: int) -> list[Key]:
    """Those of the e-mails that get a message although others wait in the queue.

    One that has been tried has had its message, and one that is old has waited long enough. Each
    is due again when it is twice as old, so that a queue from which nobody takes gets few
    messages of it; the rest stay claimed for `MAIL_HELD_MS`.
    """
    mails = [(due_item, Mail.from_item(item)) for due_item, item in claimed]
    ready = [
        (DueItem(due_item.key, now + MAIL_HELD_MS), now - mail.created_at)
        for due_item, mail in mails
        if mail.attempts > 0 or now - mail.created_at >= MAIL_HELD_AT_MOST_MS
    ]
    kept = in_parallel([partial(due.claim, item, now + max(LEASE_MS, age)) for item, age in ready])
    return [item.key for (item, _), mine in zip(ready, kept, strict=True) if mine is not None]


def settle(message: str) -> None:
    """Does the work of one message of the sweep. Safe to repeat: it looks at the item as it is.

    Raises:
        Busy
        UnknownItem
    """
    item = store.get(messages.key_in(message))
    if item is None:
        return
    match item["type"]:
        case Referral.TYPE:
            referral = Referral.from_item(item)
            campaign = store.get(keys.campaign(referral.campaign_id))
            if campaign and not credit.settle(Campaign.from_item(campaign), referral):
                delete.detach(referral)
        case Campaign.TYPE:
            leaderboard.settle_end(Campaign.from_item(item))
        case MailRun.TYPE:
            runs.advance(MailRun.from_item(item))
        case Standing.TYPE:
            standing = Standing.from_item(item)
            if standing.deleted_at is not None:
                delete.erase(standing)
        case unknown:
            raise UnknownItem(unknown)
