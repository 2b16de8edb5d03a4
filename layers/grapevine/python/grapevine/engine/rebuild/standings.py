"""The standings of a campaign, read for a rebuild: all of them, and those that have changed since.

The index by join order lags by moments. So what the rank index counts already, and the index by
join order does not show, is looked for again until patience ends: only then has somebody been
deleted without the rank index knowing it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from functools import partial

from grapevine.engine.parallel import in_parallel
from grapevine.engine.ranks.batch import checked
from grapevine.engine.ranks.boards import ALIVE, VERSIONS, Boards
from grapevine.engine.ranks.tree import SHAPE
from grapevine.engine.rebuild.draft import Draft
from grapevine.engine.rebuild.findings import Findings, Kind
from grapevine.engine.rebuild.progress import Progress
from grapevine.table import keys, store
from grapevine.table.campaigns import last_join_sequence
from grapevine.table.standings import Standing, in_join_order

_PAGE = 1000
_AT_ONCE = 100
_LAST_SEQUENCE = 10**10 - 1

PATIENCE_SECONDS = 10.0
"""How long an index by join order may lag behind; as a rule it is well below a second."""

_PAUSE_SECONDS = 0.2


class Reader:
    """Reads standings into a draft, and says in `findings` which are no standings at all."""

    def __init__(self, draft: Draft, findings: Findings) -> None:
        self._draft, self._findings = draft, findings
        self._campaign_id = draft.campaign_id

    def read_everybody(self, progress: Progress) -> None:
        """Counts everybody who is alive, in join order."""
        last = last_join_sequence(self._campaign_id)
        listed = in_join_order(self._campaign_id, 0, _LAST_SEQUENCE, _PAGE)
        while listed:
            self._draft.ids.update(listed)
            self._draft.count(self.load(listed.values()))
            progress("reading standings", max(listed), max(last, *listed))
            listed = in_join_order(self._campaign_id, max(listed) + 1, _LAST_SEQUENCE, _PAGE)
        beyond = max(self._draft.ids, default=0)
        if beyond > last:
            self._findings.add(
                Kind.FACT, f"join sequence: {last} is said to be the last, {beyond} has been given"
            )

    def newer(self, blocks: Mapping[int, Boards]) -> list[Standing]:
        """The standings of whoever these blocks count in a later version than the draft, as they
        are now; for those of whom there is nothing any more a tombstone of that version, so that
        an old record that comes late cannot revive them."""
        versions: dict[int, int] = {}
        unknown: set[int] = set()
        for number, block in blocks.items():
            first, drafted = number * SHAPE.block_size, self._draft.block(number)
            for offset in {*block.get(ALIVE, {}), *block.get(VERSIONS, {})}:
                version = _version(block, offset)
                if version > _version(drafted, offset):
                    versions[first + offset] = version
                    if offset in block.get(ALIVE, {}):
                        unknown.add(first + offset)
        self._identify(unknown)
        ids = [self._draft.ids[each] for each in versions if each in self._draft.ids]
        found = self.load(ids)
        gone = versions.keys() - {standing.join_sequence for standing in found}
        return [*found, *(self._tombstone(each, versions[each]) for each in gone)]

    def _tombstone(self, sequence: int, version: int) -> Standing:
        return Standing(
            campaign_id=self._campaign_id,
            participant_id=self._draft.ids.get(sequence, ""),
            version=version,
            join_sequence=sequence,
            joined_month=0,
            deleted_at=0,
        )

    def list_newcomers(self) -> None:
        """Identifies those who have joined since everybody was read."""
        first = max(self._draft.ids, default=0) + 1
        self._draft.ids.update(in_join_order(self._campaign_id, first, _LAST_SEQUENCE))

    def load(self, ids: Iterable[str]) -> list[Standing]:
        """Those of the standings that exist and can be counted."""
        wanted = [keys.standing(self._campaign_id, each) for each in ids]
        calls = [
            partial(store.get_many, wanted[start : start + _AT_ONCE])
            for start in range(0, len(wanted), _AT_ONCE)
        ]
        standings = []
        for item in (item for found in in_parallel(calls) for item in found.values()):
            try:
                standings.append(checked(Standing.from_item(item)))
            except (KeyError, TypeError, ValueError) as error:
                id_ = keys.participant_in(item["partition"])
                self._findings.add(Kind.FACT, f"{id_}: its standing cannot be counted ({error})")
        return standings

    def _identify(self, sequences: Iterable[int]) -> None:
        unknown = {each for each in sequences if each not in self._draft.ids}
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while unknown:
            for number in sorted({SHAPE.place_of(each)[0] for each in unknown}):
                first, last = number * SHAPE.block_size, (number + 1) * SHAPE.block_size - 1
                self._draft.ids.update(in_join_order(self._campaign_id, first, last))
            unknown -= self._draft.ids.keys()
            if time.monotonic() >= give_up_at:
                return
            time.sleep(_PAUSE_SECONDS if unknown else 0)


def _version(block: Boards, offset: int) -> int:
    """-1 for somebody whom the block does not know."""
    unknown = 0 if offset in block.get(ALIVE, {}) else -1
    return block.get(VERSIONS, {}).get(offset, unknown)
