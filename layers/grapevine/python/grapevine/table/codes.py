"""Codes that can be redeemed, known by their hashes, and the batches that they were made in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from grapevine.table import mechanics_keys, store
from grapevine.table.entity import Entity
from grapevine.table.keys import Key

CodeStatus = Literal["ACTIVE", "REDEEMED", "REVOKED"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSecret(Entity):
    """What the codes of an account are hashed with. Made once, never changed, never shown."""

    TYPE: ClassVar[str] = "CodeSecret"

    account_id: str
    secret: str = field(repr=False)

    @property
    def key(self) -> Key:
        return mechanics_keys.code_secret(self.account_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Code(Entity):
    """`points_value` points for whoever redeems it until `expires_at` (ms; None: for ever).

    The code of a win names its winner (`user_id`), event and tier, that of a batch its batch.
    """

    TYPE: ClassVar[str] = "Code"

    account_id: str
    code_hash: str
    campaign_id: str
    status: CodeStatus = "ACTIVE"
    points_value: int
    created_at: int
    expires_at: int | None = None
    version: int = 0
    user_id: str | None = None
    event_id: str | None = None
    tier_id: str | None = None
    batch_id: str | None = None
    batch_created_at: int | None = None
    redeemed_at: int | None = None
    redeemed_by: str | None = None

    @property
    def key(self) -> Key:
        return mechanics_keys.code(self.account_id, self.code_hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeBatch(Entity):
    TYPE: ClassVar[str] = "CodeBatch"

    campaign_id: str
    batch_id: str
    batch_size: int
    points_value: int
    label: str | None = None
    expires_at: int | None = None
    created_at: int

    @property
    def key(self) -> Key:
        return mechanics_keys.code_batch(self.campaign_id, self.created_at, self.batch_id)


def batches_of(campaign_id: str) -> list[CodeBatch]:
    """All batches of the campaign, newest first."""
    partition = mechanics_keys.code_batch(campaign_id, 0, "any").partition
    items = store.query(None, partition, descending=True, prefix=mechanics_keys.CODE_BATCH_PREFIX)
    return [CodeBatch.from_item(item) for item in items]
