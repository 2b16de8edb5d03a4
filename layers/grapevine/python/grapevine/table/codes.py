"""Codes that can be redeemed, known by their hashes, and the batches that they were made in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from grapevine.table import mechanics_keys, store
from grapevine.table.attributes import Item
from grapevine.table.entity import Entity, as_json
from grapevine.table.keys import Key
from grapevine.table.writes import PRESENT, Add

CodeStatus = Literal["ACTIVE", "REDEEMED", "REVOKED"]
ShownCodeStatus = Literal["ACTIVE", "REDEEMED", "EXPIRED", "REVOKED"]

MOST_PARTS = 16
"""In how many parts the used codes of a batch are counted, so that those who redeem at the same
time do not wait for each other."""


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

    The code of a win names its winner (`user_id`), event and tier, that of a batch its batch, its
    number in it (from 0) and the part of the batch's counts that counts it.
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
    batch_number: int | None = None
    batch_part: int | None = None
    redeemed_at: int | None = None
    redeemed_by: str | None = None

    @property
    def key(self) -> Key:
        return mechanics_keys.code(self.account_id, self.code_hash)

    def status_at(self, at: int) -> ShownCodeStatus:
        """At a time (ms): what nobody has used expires by itself."""
        has_expired = self.expires_at is not None and self.expires_at <= at
        return "EXPIRED" if self.status == "ACTIVE" and has_expired else self.status


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeBatch(Entity):
    """Until `finished_at` (ms) is set, not all of its codes are there, and none is worth anything.

    Its codes follow from the account's secret, the id and each one's number; `taken` holds, by
    number, how many codes before that one were another's already. They begin with `prefix`.
    `fingerprint` says what was asked for.
    """

    TYPE: ClassVar[str] = "CodeBatch"

    campaign_id: str
    batch_id: str
    version: int = 0
    batch_size: int
    points_value: int
    label: str | None = None
    expires_at: int | None = None
    created_at: int
    prefix: str
    finished_at: int | None = None
    taken: dict[str, int] = as_json()

    @property
    def key(self) -> Key:
        return mechanics_keys.code_batch(self.campaign_id, self.created_at, self.batch_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeCount(Entity):
    """How many codes of a part of a batch are REDEEMED, and how many REVOKED. The parts are there
    as soon as the batch is finished."""

    TYPE: ClassVar[str] = "CodeCount"

    campaign_id: str
    batch_id: str
    part: int
    redeemed: int = 0
    revoked: int = 0

    @property
    def key(self) -> Key:
        return mechanics_keys.code_count(self.campaign_id, self.batch_id, self.part)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeAttempts(Entity):
    """How often a `subject` has named a code that is none, in one minute (from the epoch)."""

    TYPE: ClassVar[str] = "CodeAttempts"

    account_id: str
    subject: str
    minute: int
    failed: int = 1
    expires_at: int

    @property
    def key(self) -> Key:
        return mechanics_keys.code_attempts(self.account_id, self.subject, self.minute)


def parts_of(batch_size: int) -> int:
    """In how many parts the codes of a batch are counted."""
    return min(batch_size, MOST_PARTS)


def counted(code: Code, **amounts: int) -> list[Add]:
    """Counts what becomes of a batch's code. It fails where the batch is not finished; the codes
    of wins are counted nowhere."""
    if code.batch_id is None or code.batch_part is None:
        return []
    key = mechanics_keys.code_count(code.campaign_id, code.batch_id, code.batch_part)
    return [Add(key, CodeCount.TYPE, amounts, PRESENT)]


def batches_of(campaign_id: str) -> list[CodeBatch]:
    """All finished batches of the campaign, newest first."""
    return _finished(_codes_of(campaign_id, mechanics_keys.CODE_BATCH_PREFIX))


def batches_and_counts_of(campaign_id: str) -> tuple[list[CodeBatch], list[CodeCount]]:
    """The same, and the counts of all of them."""
    items = _codes_of(campaign_id)
    counts = [CodeCount.from_item(item) for item in items if item["type"] == CodeCount.TYPE]
    return _finished(items), counts


def _codes_of(campaign_id: str, prefix: str | None = None) -> list[Item]:
    partition = mechanics_keys.code_batch(campaign_id, 0, "any").partition
    return store.query(None, partition, descending=True, prefix=prefix)


def _finished(items: list[Item]) -> list[CodeBatch]:
    batches = [CodeBatch.from_item(item) for item in items if item["type"] == CodeBatch.TYPE]
    return [batch for batch in batches if batch.finished_at is not None]
