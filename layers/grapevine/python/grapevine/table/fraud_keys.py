"""Where the items about fraud live. Ids are checked as in `table/keys.py`."""

from __future__ import annotations

from grapevine.table import keys
from grapevine.table.keys import Key


def _id(text: str) -> str:
    if not keys.is_id(text):
        raise ValueError("not an id")
    return text


def trait(campaign_id: str, trait_hash: str) -> Key:
    """Who was seen with an address, a device or a mailbox."""
    return Key(f"{keys.campaign(campaign_id).partition}#TRAIT#{_id(trait_hash)}", "TRAIT")


def fraud_report(campaign_id: str, participant_id: str) -> Key:
    """In the participant's partition."""
    return Key(keys.profile(campaign_id, participant_id).partition, "FRAUD")


def fraud_list(campaign_id: str, name: str) -> Key:
    return Key(keys.campaign(campaign_id).partition, f"FRAUDLIST#{_id(name)}")
