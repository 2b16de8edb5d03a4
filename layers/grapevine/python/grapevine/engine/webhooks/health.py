"""Whether an endpoint works, over all its deliveries, and when it is disabled for not working."""

from __future__ import annotations

from dataclasses import dataclass, replace

DISABLED_AFTER_MS = 5 * 24 * 60 * 60 * 1000
"""Longer than one delivery's attempts take: a single lost event disables nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """`failure_count` counts the failed attempts since the last success, `failing_since` is the
    time of the first of them."""

    failure_count: int = 0
    failing_since: int | None = None
    last_failure_at: int | None = None
    auto_disabled: bool = False

    def after_success(self) -> Health:
        """Any success clears everything but the memory of the last failure."""
        return Health(last_failure_at=self.last_failure_at)

    def after_failure(self, now_ms: int, *, last_attempt: bool) -> Health:
        """`last_attempt` says that this delivery will not be attempted again.

        Only then may the endpoint be disabled, and only when it has been failing for more than
        five days: a delivery under way may yet succeed.
        """
        failing_since = now_ms if self.failing_since is None else self.failing_since
        persistent = last_attempt and now_ms - failing_since > DISABLED_AFTER_MS
        return replace(
            self,
            failure_count=self.failure_count + 1,
            failing_since=failing_since,
            last_failure_at=now_ms,
            auto_disabled=self.auto_disabled or persistent,
        )
