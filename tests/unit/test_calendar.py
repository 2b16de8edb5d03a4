"""Which months a campaign has to close, whatever happens to it and whenever they are closed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grapevine.engine.month_end.calendar import GRACE_MS, after_first, ended, opened
from grapevine.months import start_of
from grapevine.table.month_end import Calendar

CAMPAIGN, FIRST = "camp01", 2026 * 12


class _Life:
    """A campaign month by month, and a schedule that sometimes fails."""

    def __init__(self) -> None:
        self.month, self.is_live = FIRST, False
        self.calendar: Calendar | None = None
        self.lived: set[int] = set()
        self.closed: list[int] = []

    def start_or_end(self) -> None:
        if self.is_live:
            assert self.calendar
            self.calendar = ended(self.calendar, self.month)
        else:
            self.calendar = opened(self.calendar, CAMPAIGN, self.month)
        self.lived.add(self.month)
        self.is_live = not self.is_live

    def pass_month(self) -> None:
        self.month += 1
        if self.is_live:
            self.lived.add(self.month)

    def close(self) -> None:
        now = start_of(self.month) + GRACE_MS
        while self.calendar and self.calendar.due_at <= now:
            self.closed.append(self.calendar.months[0])
            self.calendar = after_first(self.calendar)


@given(st.lists(st.sampled_from([_Life.start_or_end, _Life.pass_month, _Life.close]), max_size=40))
def test_exactly_the_months_in_which_a_campaign_was_live_are_closed_each_once_in_order(
    happenings: list[object],
) -> None:
    life = _Life()

    for happen in happenings:
        happen(life)  # type: ignore[operator]
    life.pass_month()
    life.close()

    over = [month for month in sorted(life.lived) if month < life.month]
    assert life.closed == over
    assert (life.calendar is not None) == life.is_live


def test_a_calendar_is_due_when_the_grace_of_its_first_month_is_over() -> None:
    calendar = opened(None, CAMPAIGN, FIRST)

    assert calendar.due_at == start_of(FIRST + 1) + GRACE_MS
    following = after_first(calendar)
    assert following is not None
    assert following.due_at == start_of(FIRST + 2) + GRACE_MS


def test_a_calendar_that_changes_has_another_version() -> None:
    first = opened(None, CAMPAIGN, FIRST)
    second = ended(first, FIRST)
    third = opened(second, CAMPAIGN, FIRST + 1)

    assert [each.version for each in (first, second, third)] == [0, 1, 2]
    assert third.months == (FIRST, FIRST + 1)
