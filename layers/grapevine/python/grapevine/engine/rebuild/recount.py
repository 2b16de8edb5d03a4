"""The totals that the rank index does not hold, counted anew while the stream goes on.

1. The recount begins: one update of the totals gives it a generation, later than any before, and
   sums of its own, at zero. From now on every batch keeps both (see `grapevine.engine.totals`).
2. Each participant's items are read, and the records of what the totals contain are made parts of
   the new generation, with the right amounts. The transaction that does it also adds to the sums in
   use what had not been counted.
3. The recount's sums take the place of the others, in one update.

Why the sums are exact: a recount's sum is that of the records of its generation, at each moment.
Every transaction that changes a record holds only while that record is as it was read, in version
and generation, and changes the sum by the difference; if another recount begins or ends, its
condition on the totals fails and it starts anew. A participant that nobody moves is one without
anything to count, or has been deleted and counts nothing: its record is no part of the new
generation, so its tombstone takes nothing away when it comes.

When the process dies: records that have been moved are parts of a later generation than the sums in
use, which contain them; batches go on keeping the abandoned sums, and the next recount begins anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.rebuild.findings import Findings, Kind
from grapevine.engine.rebuild.progress import Progress
from grapevine.engine.totals import (
    NAMES,
    SOURCES,
    State,
    Tally,
    contribution,
    first_totals,
    recount_name,
)
from grapevine.errors import Busy
from grapevine.table import keys, store
from grapevine.table.attributes import Item
from grapevine.table.counted import Counted
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT

_RECORDS_AT_ONCE = 50


class Recount:
    """One recount of a campaign; made by `begin`, it must be `finished`."""

    def __init__(self, campaign_id: str, generation: int, findings: Findings) -> None:
        self._campaign_id, self._generation, self._findings = campaign_id, generation, findings
        self._corrected = dict.fromkeys(NAMES, 0)

    @classmethod
    def begin(cls, campaign_id: str, findings: Findings) -> Recount:
        """Raises Busy."""
        key = keys.totals(campaign_id)
        for _ in attempts():
            before = store.get(key)
            if before is None:
                store.put(first_totals(campaign_id), ABSENT)
                continue
            generation = max(runtime.now_ms(), State.of(before).version or 0) + 1
            if _changed(campaign_id, *_beginning(before, generation)):
                return cls(campaign_id, generation, findings)
        raise AssertionError("attempts() ends by raising Busy")

    def count(self, ids: Sequence[str], progress: Progress) -> None:
        """Everything of these participants is counted.

        Raises:
            Busy: another recount has begun; or others keep changing the same items.
        """
        size = _RECORDS_AT_ONCE // len(SOURCES)
        for start in range(0, len(ids), size):
            self._count(ids[start : start + size])
            progress("counting totals", min(start + size, len(ids)), len(ids))

    def _count(self, ids: Sequence[str]) -> None:
        for _ in attempts():
            tally, notes = self._tally(ids)
            if not tally.records:
                return
            try:
                store.transact(tally.writes())
            except TransactionCanceled as lost:
                if keys.totals(self._campaign_id) in lost.failed:
                    raise Busy from None
                continue
            for kind, text in notes:
                self._findings.add(kind, text)
            for name in NAMES:
                self._corrected[name] += tally.sums[name]
            return

    def _tally(self, ids: Sequence[str]) -> tuple[Tally, list[tuple[Kind, str]]]:
        records = {
            key_of(self._campaign_id, id_): keys.counted(self._campaign_id, id_, source.TYPE)
            for id_ in ids
            for source, key_of in SOURCES.items()
        }
        totals_key = keys.totals(self._campaign_id)
        counted = store.get_many([totals_key, *records.values()])
        # After the records: so no record can be newer than its item.
        found = store.get_many(records)
        state = State.of(counted.get(totals_key))
        if state.recount != self._generation:
            raise Busy
        tally, notes = Tally(self._campaign_id, state), list[tuple[Kind, str]]()
        for key, item in found.items():
            new = _contribution(item)
            record = counted.get(records[key])
            old = Counted.from_item(record) if record else None
            notes += _notes(new, old)
            if old is None or _differs(new, old) or old.generation != self._generation:
                tally.move(new, old, _contained(new, old))
        return tally, notes

    def finish(self) -> None:
        """The recount's sums are the campaign's.

        Raises:
            Busy: another recount has begun.
        """
        item = store.get(keys.totals(self._campaign_id)) or {}
        sums = ", ".join(f"{name} = {recount_name(name)}" for name in NAMES)
        gone = ", ".join(["recount", *map(recount_name, NAMES)])
        expression = f"SET generation = recount, version = :next, {sums} REMOVE {gone}"
        values = {":next": self._generation + 1, ":mine": self._generation}
        if not _changed(self._campaign_id, expression, values, "recount = :mine"):
            # Unless it has been done, and only the answer was lost.
            after = store.get(keys.totals(self._campaign_id)) or {}
            if after.get("generation") != self._generation:
                raise Busy
        for name in NAMES:
            right = item.get(recount_name(name), 0)
            wrong_by = item.get(name, 0) - right - self._corrected[name]
            if wrong_by:
                self._findings.add(Kind.TOTAL, f"{name}: {right + wrong_by}, should be {right}")


def _beginning(before: Item, generation: int) -> tuple[str, dict[str, int], str]:
    """The update that begins a recount: also where somebody has taken attributes away."""
    zeros = [f"{recount_name(name)} = :zero" for name in NAMES]
    kept = [f"{name} = if_not_exists({name}, :zero)" for name in ("generation", *NAMES)]
    expression = f"SET version = :new, recount = :new, {', '.join([*zeros, *kept])}"
    values = {":new": generation, ":zero": 0}
    if "version" not in before:
        return expression, values, "attribute_not_exists(version)"
    return expression, {**values, ":seen": before["version"]}, "version = :seen"


def _changed(campaign_id: str, expression: str, values: dict[str, int], condition: str) -> bool:
    """Whether the condition held."""
    for _ in attempts():
        try:
            changed = store.change(keys.totals(campaign_id), expression, values, condition)
        except TransactionCanceled:
            continue
        return changed is not None
    raise AssertionError("attempts() ends by raising Busy")


def _contribution(item: Item) -> Counted:
    [source] = [each for each in SOURCES if item["type"] == each.TYPE]
    return contribution(source.from_item(item))


def _contained(new: Counted, old: Counted | None) -> Counted | None:
    """A record of the same version or a later one has been tampered with: what was counted then is
    what the item says."""
    if old and old.version >= new.version:
        return replace(new, generation=old.generation)
    return old


def _differs(new: Counted, old: Counted) -> bool:
    return (new.version, new.amounts, new.expires_at) != (old.version, old.amounts, old.expires_at)


def _notes(new: Counted, old: Counted | None) -> list[tuple[Kind, str]]:
    name = f"{new.source} of {new.participant_id}"
    if old is None:
        return [(Kind.BEHIND, f"{name} had not been counted")]
    if old.version < new.version:
        return [(Kind.BEHIND, f"{name}: version {old.version} was counted, not {new.version}")]
    if _differs(new, old):
        was, should = f"{old.amounts} of version {old.version}", f"{new.amounts} of {new.version}"
        return [(Kind.COUNTED, f"{name}: {was}, should be {should}")]
    return []
