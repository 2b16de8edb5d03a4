"""Work whose time has come: found and claimed by the sweep, done by whoever takes the message.

A claim moves the item's due time `LEASE_MS` ahead. If the work is then lost or keeps failing, the
item falls due again and the next sweep hands it out anew: nothing that is due is forgotten.
"""

from __future__ import annotations

import time
from functools import partial

from grapevine import runtime
from grapevine.engine import credit, messages
from grapevine.engine.mail import post, runs
from grapevine.engine.messages import UnknownItem
from grapevine.engine.parallel import in_parallel
from grapevine.engine.participants import delete
from grapevine.engine.rewards import leaderboard
from grapevine.engine.webhooks.dispatch import queue_keys
from grapevine.table import due, keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.mail_runs import MailRun
from grapevine.table.referrals import Referral
from grapevine.table.standings import Standing

LEASE_MS = 20 * 60 * 1000
"""Longer than a message can stay in the queue through all its tries."""

MAIL_HELD_MS = 5 * 60 * 1000
"""How long an e-mail that is due is left alone while others wait in the mail queue."""

_PER_SHARD = 100
_SWEEP_SECONDS = 20.0


def sweep() -> int:
    """Hands out what is due until nothing is, or for 20 s; the next sweep goes on from there.
    Deliveries of webhooks and e-mails go to their own queues.

    While messages wait in the mail queue, no e-mail gets another one, because its first one may be
    among them; it is looked at again some minutes later.

    Returns the number of messages sent. Dying between claim and message costs a lease of delay.
    """
    stop_at = time.monotonic() + _SWEEP_SECONDS
    sent, mail_waits = 0, None
    while time.monotonic() < stop_at:
        now = runtime.now_ms()
        waiting = sorted(due.due_at(now, _PER_SHARD), key=lambda item: item.due_at)
        if mail_waits is None and any(keys.is_mail(item.key) for item in waiting):
            mail_waits = post.is_any_waiting()
        held = {item.key for item in waiting if mail_waits and keys.is_mail(item.key)}
        until = [now + (MAIL_HELD_MS if item.key in held else LEASE_MS) for item in waiting]
        claims = in_parallel(
            [partial(due.claim, *each) for each in zip(waiting, until, strict=True)]
        )
        claimed = [item for item, won in zip(waiting, claims, strict=True) if won]
        handed_out = [item for item in claimed if item.key not in held]
        queue_keys([item.key for item in handed_out if keys.is_delivery(item.key)])
        post.queue_keys([item.key for item in handed_out if keys.is_mail(item.key)])
        others = [i for i in handed_out if not keys.is_delivery(i.key) and not keys.is_mail(i.key)]
        messages.send(runtime.settings().due_queue_url, [item.key for item in others])
        sent += len(handed_out)
        if not claimed:
            break
    return sent


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
