"""Closing the months that have ended: one closing for each campaign and month, exactly once.

The calendars that are due are found in the due index. A calendar's version is a condition of the
transaction that writes its closings and moves it on, so whoever comes second does nothing. A
closing whose month has not been settled in time is found here as well, and sent once more.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial

from grapevine import runtime
from grapevine.engine import messages
from grapevine.engine.messages import UnknownItem
from grapevine.engine.month_end.calendar import after_first, replacement
from grapevine.engine.parallel import in_parallel
from grapevine.log import log_defect
from grapevine.table import due, store
from grapevine.table.attributes import Item
from grapevine.table.due import DueItem, month_end_shard_of
from grapevine.table.month_end import Calendar, MonthClosing
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, Put

SETTLED_BY_MS = 3 * 60 * 60 * 1000
"""Longer than a message about a closing can stay in its queue through all its tries."""

_SECONDS = 240.0
_PER_SHARD = 10_000
_AT_ONCE = 100
_MOST_MONTHS = 50
"""That one transaction closes."""


class NotClosed(Exception):
    """Some campaigns could not be closed; they stay due, and the others were not held up."""


@dataclass(frozen=True, slots=True)
class Run:
    """`closed` months were closed, `repeated` closings sent again."""

    closed: int
    repeated: int


def close_months() -> Run:
    """Closes what is due, for 240 s; the next run goes on from there.

    Raises:
        NotClosed
    """
    stop_at = time.monotonic() + _SECONDS
    waiting = due.month_ends_at(runtime.now_ms(), _PER_SHARD)
    outcomes: list[_Outcome] = []
    for start in range(0, len(waiting), _AT_ONCE):
        if time.monotonic() >= stop_at:
            break
        page = waiting[start : start + _AT_ONCE]
        found = store.get_many(entry.key for entry in page)
        calls = [partial(_done, entry, found[entry.key]) for entry in page if entry.key in found]
        outcomes += in_parallel(calls)
    failed = sum(outcome.failed for outcome in outcomes)
    if failed:
        raise NotClosed(f"{failed} of {len(waiting)} campaigns could not be closed")
    return Run(
        sum(outcome.closed for outcome in outcomes), sum(outcome.repeated for outcome in outcomes)
    )


@dataclass(frozen=True, slots=True)
class _Outcome:
    closed: int = 0
    repeated: int = 0
    failed: int = 0


def _done(entry: DueItem, item: Item) -> _Outcome:
    try:
        return _handled(entry, item)
    except Exception as error:  # noqa: BLE001 - other campaigns must not wait for this one
        log_defect(error)
        return _Outcome(failed=1)


def _handled(entry: DueItem, item: Item) -> _Outcome:
    match item["type"]:
        case Calendar.TYPE:
            return _Outcome(closed=_close(Calendar.from_item(item)))
        case MonthClosing.TYPE:
            return _Outcome(repeated=_repeat(entry, MonthClosing.from_item(item)))
        case unknown:
            raise UnknownItem(unknown)


def _close(calendar: Calendar) -> int:
    """How many months were closed: none if the calendar has moved on since the index saw it."""
    now = runtime.now_ms()
    closings: list[MonthClosing] = []
    after: Calendar | None = calendar
    while after and after.due_at <= now and len(closings) < _MOST_MONTHS:
        closings.append(
            MonthClosing(
                campaign_id=calendar.campaign_id,
                month=after.months[0],
                closed_at=now,
                due_shard=month_end_shard_of(calendar.campaign_id),
                due_at=now + SETTLED_BY_MS,
            )
        )
        after = after_first(after)
    if not closings:
        return 0
    try:
        store.transact(
            [
                *(Put(closing.to_item(), ABSENT) for closing in closings),
                replacement(calendar, after),
            ]
        )
    except TransactionCanceled:
        # Another run closed it, or the campaign was ended or resumed: the next run looks again.
        return 0
    return len(closings)


def _repeat(entry: DueItem, closing: MonthClosing) -> int:
    now = runtime.now_ms()
    if closing.settled_at is not None or not due.claim(entry, now + SETTLED_BY_MS):
        return 0
    hand_out([closing])
    return 1


def hand_out(closings: list[MonthClosing]) -> None:
    """Has these months settled. One whose message is lost is sent again when it falls due."""
    queue_url = runtime.settings().settlement_queue_url
    messages.send(queue_url, [closing.key for closing in closings])
