"""Taking a mail from the queue, sending it, and writing down what came of it.

It is claimed before the call to SES, under its version. Dying between SES and the record leaves the
claim: then SES's own event says that it was sent (`grapevine.engine.mail.events`), and only when
none has come by the end of the claim is it sent again.
"""

from __future__ import annotations

import random

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.mail import envelope, identities, ses, transitions
from grapevine.engine.mail.composers import COMPOSERS
from grapevine.engine.mail.content import Content, Occasion
from grapevine.engine.mail.preparing import Ready, Stopped, prepared
from grapevine.engine.mail.ses import Outcome
from grapevine.engine.messages import key_in
from grapevine.errors import Busy
from grapevine.table import keys, store
from grapevine.table.mail import Mail
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import Put, version

_EARLY_BY_MS = 1000
"""A queue's clock is not ours: a message may come a little before its time."""


class SesUnusable(Exception):
    """SES refuses because of us or of how it is set up: its code."""


def send(message: str) -> None:
    """Sends the mail that the message names, unless it is done, under way or not due yet.

    Raises:
        Busy
        SesUnusable: the mail waits; the message is to come again and end in an alarm.
    """
    item = store.get(key_in(message))
    mail = Mail.from_item(item) if item else None
    if mail is None or not mail.is_waiting or _is_early(mail):
        return
    try:
        ready = prepared(mail)
        content = _written(ready.occasion)
    except Stopped as stopped:
        put(mail, transitions.ended(mail, stopped.state, stopped.reason))
        return
    raw = envelope.raw_message(ready.occasion, ready.recipient, content)
    claimed = transitions.claimed(mail, runtime.now_ms(), ready.address_hash)
    if put(mail, claimed):
        _record(claimed, _attempt(claimed, ready, raw))


def _written(occasion: Occasion) -> Content:
    content = COMPOSERS[occasion.mail.kind](occasion)
    if content is None:
        raise Stopped("SUPPRESSED", "nothing to say")
    return content


def _is_early(mail: Mail) -> bool:
    return mail.next_attempt_at - runtime.now_ms() > _EARLY_BY_MS


def _attempt(mail: Mail, ready: Ready, raw: bytes) -> Outcome:
    settings = ready.occasion.settings
    outcome = ses.send(
        envelope.sender(ready.occasion),
        ready.recipient,
        raw,
        campaign_id=mail.campaign_id,
        mail_id=mail.mail_id,
    )
    if outcome.reason == "MessageRejected" and not _may_send(settings.from_email or ""):
        # Not the message is wrong: the From address is not verified any more, and may be again.
        return Outcome("later", "From address not verified")
    return outcome


def _may_send(address: str) -> bool:
    try:
        return identities.is_verified(address, remembered=False)
    except Busy:
        return False


def _record(claimed: Mail, outcome: Outcome) -> None:
    # Losing means that an event of SES was faster: it said that the mail was sent.
    jitter = random.random()  # noqa: S311 - jitter, not a secret
    if outcome.kind != "unknown":
        put(claimed, transitions.recorded(claimed, outcome, runtime.now_ms(), jitter))
    if outcome.kind == "defect":
        raise SesUnusable(outcome.reason)


def put(before: Mail, after: Mail) -> bool:
    """False when somebody else has changed the mail. A mere conflict says nothing yet.

    A text that was written for this mail alone goes when the mail ends, at the latest (should the
    process die in between) with its own `expires_at`.
    """
    for _ in attempts():
        try:
            store.transact([Put(after.to_item(), version(before.version))])
        except TransactionCanceled as lost:
            if lost.failed:
                return False
            continue
        has_ended = before.is_waiting and not after.is_waiting
        if has_ended and after.kind == "freeform" and after.text_id:
            store.remove([keys.mail_text(after.campaign_id, after.text_id)])
        return True
    raise AssertionError("attempts() ends by raising Busy")
