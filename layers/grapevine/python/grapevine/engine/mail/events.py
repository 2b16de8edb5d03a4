"""What SES tells of the e-mails that it has taken: sent, delivered, bounced, complained about.

Events come at least once and in any order. One that cannot be a mail of ours is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.mail import transitions
from grapevine.engine.mail.deliver import put
from grapevine.table import keys, store
from grapevine.table.mail import Mail, Suppression, SuppressionReason


def record(message: str) -> None:
    """Notes one event (an EventBridge message of SES) at its mail. A permanent bounce or a
    complaint ends all e-mail of the campaign to that address.

    Raises:
        Busy
        KeyError, TypeError, ValueError: the message is no such event.
    """
    detail: Mapping[str, Any] = json.loads(message)["detail"]
    event, sent = str(detail["eventType"]), detail["mail"]
    tags: Mapping[str, list[str]] = sent.get("tags", {})
    campaign_id, mail_id = (tags.get(name, [""])[0] for name in ("campaign", "mail"))
    if not keys.is_id(campaign_id) or not keys.is_id(mail_id):
        return
    for _ in attempts():
        item = store.get(keys.mail(campaign_id, mail_id))
        if item is None:
            return
        mail = Mail.from_item(item)
        reason = _suppression(event, detail)
        if reason is not None and mail.address_hash is not None:
            suppressed = Suppression(
                campaign_id=campaign_id,
                address_hash=mail.address_hash,
                reason=reason,
                at=runtime.now_ms(),
            )
            # It says more than that somebody has unsubscribed, and is never taken back.
            store.put_all([suppressed.to_item()])
        after = transitions.noted(mail, event, sent.get("messageId"), runtime.now_ms())
        if after == mail or put(mail, after):
            return


def _suppression(event: str, detail: Mapping[str, Any]) -> SuppressionReason | None:
    if event == "Bounce" and detail["bounce"].get("bounceType") == "Permanent":
        return "BOUNCE"
    if event == "Complaint":
        told = detail["complaint"].get("complaintFeedbackType")
        return None if told == "not-spam" else "COMPLAINT"
    return None
