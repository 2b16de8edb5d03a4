"""Batches of codes: made once, shown once, and finished by whoever asks for the same again.

The order of writes: first the batch, unfinished, with the receipt of its request; then its codes,
a hundred in a transaction; last that it is finished, with its counts. A process that dies before
the last of these leaves codes that nobody has seen and that pay nothing, for to redeem one is
counted, and there are no counts yet. The same key again finds the batch by its receipt, derives
the same codes, writes those that are missing and finishes it. Without a key they stay as they are.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from grapevine import runtime
from grapevine.engine.attempts import DEADLINE_SECONDS, attempts
from grapevine.engine.mechanics.code_secret import code_secret
from grapevine.engine.mechanics.repeating import Repetition
from grapevine.engine.mechanics.win_codes import batch_code, hash_of_code, prefix_of
from grapevine.engine.parallel import in_parallel
from grapevine.errors import InvalidRequest, Problem
from grapevine.table import mechanics_keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.codes import Code, CodeBatch, CodeCount, parts_of
from grapevine.table.keys import Key
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, Put, version

LARGEST_BATCH = 10_000

_IN_A_TRANSACTION = 100
_LANES = 4
"""So many transactions at a time: ten thousand codes take a few seconds, and a table that has only
just been made is not asked for more than it gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBatch:
    """What is asked for; `expires_at` in ms, `key` the client's own for this request."""

    batch_size: int
    points_value: int
    label: str | None = None
    expires_at: int | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Generated:
    """`codes` in plain text; `is_replay` says that they had all been made before."""

    batch: CodeBatch
    codes: list[str]
    is_replay: bool


def generate(campaign: Campaign, new: NewBatch) -> Generated:
    """A batch of codes, or the one that the same key has got before.

    Raises:
        InvalidRequest: they would expire in the past.
        KeyReused: the key came with another request.
        Busy: it took too long. The same key goes on from there.
    """
    until = time.monotonic() + DEADLINE_SECONDS
    secret = code_secret(campaign.account_id)
    batch, was_there = _begun(campaign, new, until)
    is_replay = batch.finished_at is not None
    if not is_replay:
        writer = _Writer(campaign.account_id, batch, secret, until, was_there)
        batch = _finish(batch, _write_codes(writer), until)
    codes = [
        _text(secret, batch, number, batch.taken.get(str(number), 0))
        for number in range(batch.batch_size)
    ]
    return Generated(batch, codes, is_replay)


def _begun(campaign: Campaign, new: NewBatch, until: float) -> tuple[CodeBatch, bool]:
    """The batch of the request, which is there by now, if not all of its codes; and whether it had
    been there before."""
    campaign_id, now = campaign.campaign_id, runtime.now_ms()
    repetition = Repetition.of(
        campaign_id,
        "codes",
        new.key,
        new.batch_size,
        new.points_value,
        new.label,
        new.expires_at,
    )
    batch = CodeBatch(
        campaign_id=campaign_id,
        batch_id=str(uuid.uuid4()),
        batch_size=new.batch_size,
        points_value=new.points_value,
        label=new.label,
        expires_at=new.expires_at,
        created_at=now,
        prefix=prefix_of(campaign.slug or campaign_id),
    )
    for _ in attempts(until - time.monotonic()):
        receipt = repetition.first(store.get_many(repetition.keys()))
        if receipt is not None:
            return _stored(campaign_id, receipt.created_at, receipt.event_id), True
        if new.expires_at is not None and new.expires_at <= now:
            message = "must be in the future"
            problem = Problem("body", "expiresAt", "past", message, new.expires_at)
            raise InvalidRequest("Codes must not expire before they are made.", problem)
        receipts = repetition.receipts(batch.batch_id, "", now)
        try:
            store.transact([Put(each.to_item(), ABSENT) for each in (batch, *receipts)])
        except TransactionCanceled:
            continue
        return batch, False
    raise AssertionError("attempts() ends by raising Busy")


def _stored(campaign_id: str, created_at: int, batch_id: str) -> CodeBatch:
    item = store.get(mechanics_keys.code_batch(campaign_id, created_at, batch_id))
    if item is None:
        raise LookupError("a batch is written with its receipt")
    return CodeBatch.from_item(item)


def _write_codes(writer: _Writer) -> dict[str, int]:
    """All codes are there afterwards. Gives `CodeBatch.taken`."""
    size = writer.batch.batch_size
    chunks = [
        range(start, min(start + _IN_A_TRANSACTION, size))
        for start in range(0, size, _IN_A_TRANSACTION)
    ]
    lanes = [chunks[lane::_LANES] for lane in range(_LANES)]
    taken: dict[str, int] = {}
    for each in in_parallel([partial(writer.write, lane) for lane in lanes if lane]):
        taken |= each
    return taken


@dataclass(frozen=True, slots=True)
class _Writer:
    """`may_be_there`: an earlier request has begun to write them. To look costs a quarter of what
    a transaction does that fails."""

    account_id: str
    batch: CodeBatch
    secret: str
    until: float
    may_be_there: bool

    def write(self, chunks: Sequence[range]) -> dict[str, int]:
        taken: dict[str, int] = {}
        for numbers in chunks:
            tries = self._write_chunk(numbers)
            taken |= {str(number): tried for number, tried in tries.items() if tried}
        return taken

    def _write_chunk(self, numbers: range) -> dict[int, int]:
        """By number, how many codes were taken before there was one to have."""
        tries, missing = dict.fromkeys(numbers, 0), list(numbers)
        look_first = self.may_be_there
        for _ in attempts(self.until - time.monotonic()):
            codes = self._distinct(tries, missing)
            wanted = [codes[number] for number in missing]
            met = {code.key for code in wanted} if look_first else self._put(wanted)
            look_first = False
            missing = self._still_missing(tries, missing, codes, met) if met is not None else []
            if not missing:
                return tries
        raise AssertionError("attempts() ends by raising Busy")

    def _put(self, codes: Sequence[Code]) -> frozenset[Key] | None:
        """Writes all or none. Gives the places that were taken; None when all are written."""
        try:
            store.transact([Put(code.to_item(), ABSENT) for code in codes])
        except TransactionCanceled as lost:
            return lost.failed
        return None

    def _distinct(self, tries: dict[int, int], missing: list[int]) -> dict[int, Code]:
        """The codes to try next; none twice, which a transaction would not take."""
        written = set(tries) - set(missing)
        codes = {number: self._code(number, tries[number]) for number in written}
        seen = {code.code_hash for code in codes.values()}
        for number in missing:
            codes[number] = self._code(number, tries[number])
            while codes[number].code_hash in seen:
                tries[number] += 1
                codes[number] = self._code(number, tries[number])
            seen.add(codes[number].code_hash)
        return codes

    def _still_missing(
        self,
        tries: dict[int, int],
        missing: list[int],
        codes: dict[int, Code],
        met: Iterable[Key],
    ) -> list[int]:
        """What is there already is this batch's own, of an earlier request, or another's."""
        found = store.get_many(met)
        written = set()
        for number in missing:
            item = found.get(codes[number].key)
            if item is None:
                continue
            there = Code.from_item(item)
            if (there.batch_id, there.batch_number) == (self.batch.batch_id, number):
                written.add(number)
            else:
                tries[number] += 1
        return [number for number in missing if number not in written]

    def _code(self, number: int, attempt: int) -> Code:
        batch = self.batch
        return Code(
            account_id=self.account_id,
            code_hash=hash_of_code(self.secret, _text(self.secret, batch, number, attempt)),
            campaign_id=batch.campaign_id,
            points_value=batch.points_value,
            created_at=batch.created_at,
            expires_at=batch.expires_at,
            batch_id=batch.batch_id,
            batch_created_at=batch.created_at,
            batch_number=number,
            batch_part=number % parts_of(batch.batch_size),
        )


def _text(secret: str, batch: CodeBatch, number: int, attempt: int) -> str:
    return batch_code(secret, batch.prefix, batch.batch_id, number, attempt)


def _finish(batch: CodeBatch, taken: dict[str, int], until: float) -> CodeBatch:
    """The batch, whoever has finished it."""
    finished = replace(batch, version=batch.version + 1, finished_at=runtime.now_ms(), taken=taken)
    counts = [
        CodeCount(campaign_id=batch.campaign_id, batch_id=batch.batch_id, part=part)
        for part in range(parts_of(batch.batch_size))
    ]
    for _ in attempts(until - time.monotonic()):
        try:
            store.transact(
                [
                    Put(finished.to_item(), version(batch.version)),
                    *(Put(count.to_item(), ABSENT) for count in counts),
                ]
            )
        except TransactionCanceled:
            stored = _stored(batch.campaign_id, batch.created_at, batch.batch_id)
            if stored.finished_at is not None:
                return stored
            continue
        return finished
    raise AssertionError("attempts() ends by raising Busy")
