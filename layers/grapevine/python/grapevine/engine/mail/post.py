"""Asking for e-mails: each is stored once, then queued, and due a little later in any case."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from grapevine import runtime
from grapevine.engine import messages
from grapevine.engine.mail import pacing
from grapevine.engine.mail.pacing import Stretch
from grapevine.engine.parallel import in_parallel
from grapevine.months import DAY_MS
from grapevine.table import keys, store
from grapevine.table.due import shard_of
from grapevine.table.keys import Key
from grapevine.table.mail import Mail, MailKind
from grapevine.table.writes import ABSENT

KEPT_MS = 90 * DAY_MS
"""How long a mail is kept: as long as anything may still be told of it, or of its fact again."""

FIRST_ATTEMPT_BY_MS = 2 * 60 * 1000
"""When the sweep takes up a mail whose first message has not arrived."""

_AT_ONCE = 10


def new_mail(
    kind: MailKind,
    campaign_id: str,
    participant_id: str,
    *,
    fact: str,
    template: str | None = None,
    text_id: str | None = None,
    data: Mapping[str, Any] | None = None,
) -> Mail:
    """A mail that has not been stored. The same kind, template, participant and `fact` always give
    the same id, so it is sent once however often it is asked for."""
    now = runtime.now_ms()
    told = "\n".join([kind, template or "", campaign_id, participant_id, fact])
    mail_id = f"mail_{hashlib.sha256(told.encode()).hexdigest()[:24]}"
    return Mail(
        campaign_id=campaign_id,
        mail_id=mail_id,
        kind=kind,
        template=template,
        participant_id=participant_id,
        text_id=text_id,
        data=dict(data or {}),
        created_at=now,
        next_attempt_at=now,
        due_shard=shard_of(mail_id),
        due_at=now + FIRST_ATTEMPT_BY_MS,
        expires_at=(now + KEPT_MS) // 1000,
    )


def queue(mails: Sequence[Mail]) -> None:
    """Stores those that are new and queues them. Safe to repeat: one that is there already is left
    as it is, for the sweep if its message was lost.

    Raises:
        RuntimeError: the queue did not take all; those fall due by themselves.
    """
    queue_keys([mail.key for mail in _stored(mails)])


def queue_in(stretch: Stretch, mails: Sequence[Mail]) -> None:
    """The same, spread over a stretch of time: ten at once, and the next ten when their time has
    come. The sweep keeps away from them until long after the end of the stretch.

    Raises:
        RuntimeError
    """
    swept_at = stretch.begin_of(len(mails)) + pacing.SWEPT_AFTER_MS
    new = _stored([replace(mail, due_at=swept_at) for mail in mails])
    for start in range(0, len(new), _AT_ONCE):
        delay_ms = max(0, stretch.begin_of(start) - runtime.now_ms())
        queue_keys([mail.key for mail in new[start : start + _AT_ONCE]], delay_ms // 1000)


def _stored(mails: Sequence[Mail]) -> list[Mail]:
    """Those that had not been stored before."""
    stored = in_parallel([partial(store.put, mail.to_item(), ABSENT) for mail in mails])
    return [mail for mail, is_new in zip(mails, stored, strict=True) if is_new]


def queue_keys(mail_keys: Sequence[Key], delay_seconds: int = 0) -> None:
    """Each campaign's are a group of the fair queue.

    Raises:
        RuntimeError: the queue did not take all.
    """
    if mail_keys:
        queue_url = runtime.settings().mail_queue_url
        group_of = keys.campaign_of_mail
        messages.send(queue_url, mail_keys, delay_seconds=delay_seconds, group_of=group_of)


def is_any_waiting() -> bool:
    """Whether there are messages in the queue that nobody has taken yet."""
    return messages.count_waiting(runtime.settings().mail_queue_url) > 0
