"""Where events wait that have come without a campaign, and where a participant's player is told.
Ids are checked as in `table/keys.py`."""

from __future__ import annotations

from grapevine.table import keys
from grapevine.table.keys import Key


def _id(text: str) -> str:
    if not keys.is_id(text):
        raise ValueError("not an id")
    return text


def inbox_event(account_id: str, inbox_id: str) -> Key:
    return Key(f"{keys.account(account_id).partition}#INBOX#{_id(inbox_id)}", "INBOX")


def inbox_receipt(account_id: str, key_hash: str) -> Key:
    return Key(f"{keys.account(account_id).partition}#RECEIPT#{_id(key_hash)}", "RECEIPT")


def player_link(campaign_id: str, participant_id: str) -> Key:
    """In the participant's partition: there is one for each participant."""
    return Key(keys.profile(campaign_id, participant_id).partition, "PLAYER")


def owner_in(key: Key) -> str:
    """The account or the campaign that an item belongs to."""
    return key.partition.split("#")[1]
