"""An invite that is answered: its address joins through the participant who sent it.

The invite goes away in the transaction that makes the referral, so that lists show one of the two.
A campaign that cannot send invites pays nothing for that.
"""

from __future__ import annotations

from collections.abc import Mapping

from grapevine.engine.salts import address_hash, new_salt, salt_in
from grapevine.table import keys, store
from grapevine.table.attributes import Item
from grapevine.table.campaigns import Campaign
from grapevine.table.keys import Key
from grapevine.table.writes import ABSENT, PRESENT, Check, Delete, Write


def salt_keys(campaign: Campaign) -> list[Key]:
    """What to read before an invite can be looked for."""
    return [keys.salt(campaign.campaign_id)] if campaign.sends_mail else []


def answer_writes(
    campaign: Campaign, found: Mapping[Key, Item], referrer_id: str, email: str
) -> list[Write]:
    """Removes the referrer's invite of that address, or sees to it that none is sent meanwhile.
    `found` has what is at `salt_keys`."""
    if not campaign.sends_mail:
        return []
    # It came with the From address.
    salt = salt_in(found, campaign.campaign_id) or new_salt(campaign.campaign_id)
    key = keys.invite(campaign.campaign_id, referrer_id, address_hash(salt, email))
    return [Check(key, ABSENT) if store.get(key) is None else Delete(key, PRESENT)]
