from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.engine.webhooks import schedule
from grapevine.engine.webhooks.outcome import Kind, Outcome

SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
NOW = 1_700_000_000_000
FAILED = Outcome(kind="failed", message="500 Internal Server Error", status=500)
WAITS = [
    5 * SECOND,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
]
NEARLY_ONE = 1 - 2**-53
EARLIEST, MIDDLE, LATEST = (lambda: 0.0), (lambda: 0.5), (lambda: NEARLY_ONE)


def asking_for(retry_after_ms: int) -> Outcome:
    return Outcome(kind="failed", message="429", status=429, retry_after_ms=retry_after_ms)


def waits(outcome: Outcome, random: Callable[[], float]) -> list[int]:
    """The waits of a delivery all of whose attempts come out the same."""
    result: list[int] = []
    now = NOW
    for attempts_made in range(1, 100):
        due = schedule.next_attempt_at(
            outcome, attempts_made=attempts_made, now_ms=now, random=random
        )
        if due is None:
            return result
        result.append(due - now)
        now = due
    raise AssertionError("the attempts never end")


def test_there_are_ten_attempts_over_about_75_hours() -> None:
    assert waits(FAILED, MIDDLE) == WAITS
    assert sum(WAITS) == 75 * HOUR + 35 * MINUTE + 5 * SECOND


def test_jitter_moves_each_wait_by_up_to_a_tenth() -> None:
    for wait, earliest, latest in zip(
        WAITS, waits(FAILED, EARLIEST), waits(FAILED, LATEST), strict=True
    ):
        assert earliest == round(wait * 0.9)
        assert latest == pytest.approx(wait * 1.1, abs=1)


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=9, max_size=9))
def test_each_wait_stays_within_its_jitter(drawn: list[float]) -> None:
    numbers = iter(drawn)

    for actual, wait in zip(waits(FAILED, lambda: next(numbers)), WAITS, strict=True):
        assert 0.9 * wait - 1 <= actual <= 1.1 * wait + 1


@pytest.mark.parametrize("kind", ["delivered", "gone", "refused_by_policy"])
def test_only_a_failure_is_attempted_again(kind: Kind) -> None:
    outcome = Outcome(kind=kind, message="", retry_after_ms=5 * SECOND)

    due = schedule.next_attempt_at(outcome, attempts_made=1, now_ms=NOW, random=MIDDLE)

    assert due is None


def test_retry_after_stretches_a_wait() -> None:
    due = schedule.next_attempt_at(asking_for(HOUR), attempts_made=1, now_ms=NOW, random=EARLIEST)

    assert due == NOW + HOUR


@given(st.floats(0, 1, exclude_max=True))
def test_nothing_is_sent_before_the_time_asked_for(drawn: float) -> None:
    due = schedule.next_attempt_at(
        asking_for(HOUR), attempts_made=1, now_ms=NOW, random=lambda: drawn
    )

    assert due is not None
    assert HOUR <= due - NOW <= 1.1 * HOUR + 1


def test_retry_after_never_shortens_a_wait() -> None:
    assert waits(asking_for(0), MIDDLE) == WAITS
    assert waits(asking_for(SECOND), MIDDLE) == WAITS


def test_a_huge_retry_after_is_a_day_at_most() -> None:
    assert waits(asking_for(10**18), EARLIEST) == [24 * HOUR] * 9


@pytest.mark.parametrize(
    ("header", "asked_for"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        ("120", 120 * SECOND),
        (" 120 ", 120 * SECOND),
        ("000000000000000007", 7 * SECOND),
        ("86400", 24 * HOUR),
        (formatdate(NOW / 1000 + 90, usegmt=True), 90 * SECOND),
        ("Tue, 14 Nov 2023 22:14:50 GMT", 90 * SECOND),
        ("Tuesday, 14-Nov-23 22:14:50 GMT", 90 * SECOND),
        ("Tue Nov 14 22:14:50 2023", 90 * SECOND),
        ("Tue, 14 Nov 2023 22:14:50 -0000", 90 * SECOND),
        ("Tue, 14 Nov 1995 22:14:50 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("1e3", None),
        ("٣", None),
        ("12, 13", None),
        ("Tue, 99 Nov 2023 99:99:99 GMT", None),
        ("Tue, 14 Nov 99999 22:14:50 GMT", None),
    ],
)
def test_retry_after_is_read(header: str | None, asked_for: int | None) -> None:
    assert schedule.retry_after_ms(header, NOW) == asked_for


def test_a_retry_after_of_any_length_is_read() -> None:
    asked_for = schedule.retry_after_ms("9" * 60_000, NOW)

    assert asked_for is not None
    assert asked_for > schedule.LONGEST_RETRY_AFTER_MS


@given(st.text() | st.from_regex(r"[A-Za-z]{3}, [0-9]+ [A-Z][a-z]{2} [0-9]+ [0-9:]+ [A-Z+0-9]*"))
def test_any_retry_after_is_read_or_ignored(header: str) -> None:
    asked_for = schedule.retry_after_ms(header, NOW)

    assert asked_for is None or asked_for >= 0
