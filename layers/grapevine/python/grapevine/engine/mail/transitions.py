"""How a mail goes from state to state: pure rules, the clock given.

QUEUED → SENDING (claimed for `LEASE_MS`) → SENT, FAILED, or QUEUED again for later. A claim whose
outcome nobody knows stays until SES tells (`noted`), or until it ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from grapevine.engine.mail.ses import Outcome
from grapevine.months import DAY_MS
from grapevine.table.due import shard_of
from grapevine.table.mail import Mail, MailState

LEASE_MS = 15 * 60 * 1000
"""How long a mail that may have been taken waits for SES to tell. SES does within seconds."""

GIVE_UP_AFTER_MS = 2 * DAY_MS
"""Nobody wants an e-mail later than that after its fact."""

REDRIVE_MS = 20 * 60 * 1000
"""When the sweep takes up a mail whose message keeps failing for a defect: after all its tries."""

_FIRST_WAIT_MS = 60 * 1000
_LONGEST_WAIT_MS = 60 * 60 * 1000

_EVIDENCE = frozenset({"Send", "Delivery", "Bounce", "Complaint"})
"""Events that say that SES has taken the message."""


def claimed(mail: Mail, now: int, address_hash: str) -> Mail:
    """Under an attempt that nobody else makes."""
    return replace(
        mail,
        version=mail.version + 1,
        state="SENDING",
        address_hash=address_hash,
        attempts=mail.attempts + 1,
        next_attempt_at=now + LEASE_MS,
        due_at=now + LEASE_MS,
        due_shard=shard_of(mail.mail_id),
    )


def recorded(mail: Mail, outcome: Outcome, now: int, jitter: float) -> Mail:
    """After an attempt; `jitter` from 0 to 1 spreads those that are to be made again. An unknown
    outcome changes nothing."""
    match outcome.kind:
        case "accepted":
            sent = replace(mail, ses_message_id=outcome.message_id, sent_at=now)
            return ended(sent, "SENT")
        case "refused":
            return ended(mail, "FAILED", outcome.reason)
        case "later":
            return _later(mail, outcome, now, jitter)
        case "defect":
            # Its message is to fail and come again, until an alarm tells of it.
            return _waiting(mail, outcome.reason, now, now + REDRIVE_MS)
    return mail


def ended(mail: Mail, state: MailState, reason: str | None = None) -> Mail:
    return replace(
        mail,
        version=mail.version + 1,
        state=state,
        reason=reason,
        due_at=None,
        due_shard=None,
    )


def _later(mail: Mail, outcome: Outcome, now: int, jitter: float) -> Mail:
    wait = min(_FIRST_WAIT_MS * 2 ** (mail.attempts - 1), _LONGEST_WAIT_MS)
    at = now + wait // 2 + int(wait * jitter)
    if at > mail.created_at + GIVE_UP_AFTER_MS:
        return ended(mail, "FAILED", outcome.reason)
    return _waiting(mail, outcome.reason, at, at)


def _waiting(mail: Mail, reason: str | None, attempt_at: int, due_at: int) -> Mail:
    return replace(
        mail,
        version=mail.version + 1,
        state="QUEUED",
        reason=reason,
        next_attempt_at=attempt_at,
        due_at=due_at,
        due_shard=shard_of(mail.mail_id),
    )


def noted(mail: Mail, event: str, message_id: str | None, now: int) -> Mail:
    """What SES tells of it. The same event again, or an event of an older kind, changes nothing."""
    after = mail
    if event in _EVIDENCE and mail.state != "SENT" and mail.reason != "Reject":
        after = ended(replace(mail, ses_message_id=message_id, sent_at=now), "SENT")
    if event == "Reject" and mail.state != "FAILED":
        return ended(mail, "FAILED", "Reject")
    times: Mapping[str, tuple[str, int | None]] = {
        "Delivery": ("delivered_at", mail.delivered_at),
        "Bounce": ("bounced_at", mail.bounced_at),
        "Complaint": ("complained_at", mail.complained_at),
    }
    name, known = times.get(event, ("", now))
    if known is None:
        changes: dict[str, Any] = {name: now, "version": mail.version + 1}
        after = replace(after, **changes)
    return after
