"""Lists that no index has: all rows of the scope are read and sorted in memory.

So it is with orders and filters by name, and with a status in the order of creation or address. It
costs reads in proportion to the rows of the scope, and may take too long.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from grapevine.engine.parallel import in_parallel
from grapevine.engine.referral_lists.orders import STATUSES
from grapevine.engine.referral_lists.patience import Patience
from grapevine.table import referral_rows
from grapevine.table.referral_lists import RowStatus
from grapevine.table.referral_rows import Kind, Place, Row, Scope

_AT_ONCE = 2000


def gather(scope: Scope, status: RowStatus | None, patience: Patience) -> list[Row]:
    """All rows of the scope, those with one status at least, each once.

    Raises:
        InvalidRequest: it takes too long.
    """
    calls: list[Callable[[], list[Row]]]
    if scope.participant_id is None:
        statuses = STATUSES if status is None else (status,)
        calls = [partial(_with_status, scope, each, patience) for each in statuses]
    else:
        kinds: tuple[Kind, ...] = ("REFERRAL", "INVITE")
        calls = [partial(_of_kind, scope, kind, patience) for kind in kinds]
    newest: dict[str, Row] = {}
    for row in (row for rows in in_parallel(calls) for row in rows):
        known = newest.get(row.row_id)
        if known is None or known.updated_at < row.updated_at:
            newest[row.row_id] = row
    return list(newest.values())


def _with_status(scope: Scope, status: RowStatus, patience: Patience) -> list[Row]:
    rows: list[Row] = []
    start: Place | None = None
    while True:
        patience.check()
        found = referral_rows.by_status(scope, status, _AT_ONCE + 1, descending=False, start=start)
        rows += referral_rows.completed(found[:_AT_ONCE])
        if len(found) <= _AT_ONCE:
            return rows
        start = found[_AT_ONCE].place


def _of_kind(scope: Scope, kind: Kind, patience: Patience) -> list[Row]:
    rows: list[Row] = []
    start: str | None = None
    while True:
        patience.check()
        found = referral_rows.of_participant(scope, kind, _AT_ONCE + 1, start)
        rows += [row for _, row in found[:_AT_ONCE]]
        if len(found) <= _AT_ONCE:
            return rows
        start = found[_AT_ONCE][0]
