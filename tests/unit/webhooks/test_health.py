from __future__ import annotations

import pytest

from grapevine.engine.webhooks.health import is_persistent

DAY = 24 * 3_600_000
START = 1_700_000_000_000


@pytest.mark.parametrize(
    ("failing_since", "now", "persistent"),
    [
        (None, START, False),
        (START, START, False),
        (START, START + 5 * DAY, False),
        (START, START + 5 * DAY + 1, True),
    ],
)
def test_more_than_five_days_of_nothing_but_failures_are_persistent(
    failing_since: int | None, now: int, *, persistent: bool
) -> None:
    assert is_persistent(failing_since, now) is persistent
