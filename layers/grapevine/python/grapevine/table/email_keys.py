"""Where the items of program e-mails, and of who may send, live. Ids are checked as in
`table/keys.py`."""

from __future__ import annotations

from grapevine.table import keys
from grapevine.table.keys import Key

SENDER_PREFIX = "SENDER#"
TEMPLATE_PREFIX = "EMAILTEMPLATE#"


def _id(text: str) -> str:
    if not keys.is_id(text):
        raise ValueError("not an id")
    return text


def email_template(campaign_id: str, template: str) -> Key:
    return Key(keys.campaign(campaign_id).partition, f"{TEMPLATE_PREFIX}{_id(template)}")


def mail_run(campaign_id: str, kind: str, number: int) -> Key:
    return Key(f"{keys.campaign(campaign_id).partition}#MAILRUN#{_id(kind)}#{number}", "MAILRUN")


def mail_pace() -> Key:
    """One for all campaigns."""
    return Key("MAILPACE", "MAILPACE")


def email_requests(campaign_id: str, participant_id: str) -> Key:
    """In the participant's partition."""
    return Key(keys.profile(campaign_id, participant_id).partition, "EMAILREQUESTS")


def sender_identity(account_id: str, identity: str) -> Key:
    """In the account's partition. An address may hold a `#`, but it is the last part of the key."""
    return Key(keys.account(account_id).partition, f"{SENDER_PREFIX}{identity}")
