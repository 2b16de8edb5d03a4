from __future__ import annotations

from grapevine.engine.webhooks.health import Health

DAY = 24 * 3_600_000
START = 1_700_000_000_000


def test_failed_attempts_are_counted_since_the_last_success() -> None:
    health = Health()

    for minute in range(3):
        health = health.after_failure(START + minute, last_attempt=False)

    assert health == Health(failure_count=3, failing_since=START, last_failure_at=START + 2)


def test_attempts_exhausted_within_five_days_disable_nothing() -> None:
    health = Health().after_failure(START, last_attempt=False)

    health = health.after_failure(START + 5 * DAY, last_attempt=True)

    assert not health.auto_disabled


def test_attempts_exhausted_after_more_than_five_days_of_failing_disable() -> None:
    health = Health().after_failure(START, last_attempt=False)

    health = health.after_failure(START + 5 * DAY + 1, last_attempt=True)

    assert health.auto_disabled


def test_a_failure_that_will_be_retried_never_disables() -> None:
    health = Health().after_failure(START, last_attempt=False)

    health = health.after_failure(START + 50 * DAY, last_attempt=False)

    assert not health.auto_disabled


def test_sporadic_failures_never_disable() -> None:
    health = Health()

    for day in range(100):
        health = health.after_failure(START + day * DAY, last_attempt=day % 3 == 0)
        if day % 5 == 4:
            health = health.after_success()

    assert not health.auto_disabled


def test_a_success_clears_all_but_the_memory_of_the_last_failure() -> None:
    health = Health().after_failure(START, last_attempt=True)
    health = health.after_failure(START + 6 * DAY, last_attempt=True)

    health = health.after_success()

    assert health == Health(last_failure_at=START + 6 * DAY)


def test_a_disabled_endpoint_stays_so_through_further_failures() -> None:
    disabled = Health(failing_since=START, failure_count=9, auto_disabled=True)

    health = disabled.after_failure(START + DAY, last_attempt=False)

    assert health.auto_disabled
