"""An invite: an e-mail address that a participant has invited and that has not joined yet.

It lives in the inviting participant's partition, one for each address, and goes away when the
address joins through that participant: then there is a referral in its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from grapevine.table import keys, store
from grapevine.table.attributes import Item
from grapevine.table.entity import Entity
from grapevine.table.keys import Key
from grapevine.table.referral_lists import MASKED_EMAIL, index_entries


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite(Entity):
    """Times in ms. `request_hash` tells a repetition of the request that sent it, `message_id`
    names what was written to the invited person."""

    TYPE: ClassVar[str] = "Invite"

    campaign_id: str
    referrer_id: str
    address_hash: str
    email: str
    request_hash: str
    message_id: str
    created_at: int

    @property
    def key(self) -> Key:
        return keys.invite(self.campaign_id, self.referrer_id, self.address_hash)

    @property
    def invite_id(self) -> str:
        """What answers call it. It says where the item lives, and nothing about the address."""
        return f"{self.referrer_id}-{self.address_hash}"

    def index_attributes(self) -> Item:
        return index_entries(
            self.campaign_id,
            self.invite_id,
            status="INVITE_SENT",
            created_at=self.created_at,
            updated_at=self.created_at,
            sorted_email=MASKED_EMAIL,
        )


def sent_by(campaign_id: str, referrer_id: str, limit: int) -> list[Invite]:
    """Up to `limit` of the participant's unanswered invites, in no particular order."""
    partition = keys.profile(campaign_id, referrer_id).partition
    items = store.query(None, partition, limit=limit, prefix=keys.INVITE_PREFIX)
    return [Invite.from_item(item) for item in items]
