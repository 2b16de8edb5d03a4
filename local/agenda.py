"""Fires the template's schedules, and retries what failed, when the clock comes to it."""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.declarations import AsyncPolicy, Declarations, Schedule
from local.destinations import async_failure
from local.names import REGION
from local.schedules import HOUR_MS, MINUTE_MS, Rate, Timing, parse
from local.stream_consumer import Invoke, SendFailure

# Lambda waits one minute before it retries an asynchronous invocation, then two.
_RETRY_AFTER_MS = (MINUTE_MS, 2 * MINUTE_MS)

_FOLD_TO_HOURS_OVER_MS = 2 * HOUR_MS
_FOLD_TO_DAYS_OVER_MS = 7 * 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Jump:
    """A move of the clock.

    One of up to two hours fires every tick of every schedule. In a longer one, ticks of a rate()
    schedule are left out: only the last one in each UTC hour fires, and in a jump of more than a
    week the last one in each UTC day, besides the last one of the jump. A month is then 30
    firings of `rate(1 minute)` and not 43,200. A handler that does one minute's share of the work
    would notice; one that does all that is due only does it later, though never in another month.
    The firings of a cron() schedule are never left out.
    """

    start_ms: int
    end_ms: int

    def next_tick(self, timing: Timing, fired_ms: int) -> int | None:
        following = timing.next_after(fired_ms)
        window = self._window_ms()
        if not isinstance(timing, Rate) or following is None or not window:
            return following
        if following > self.end_ms:
            return following
        window_ends = (following // window + 1) * window - 1
        return timing.last_until(min(window_ends, self.end_ms))

    def _window_ms(self) -> int:
        length = self.end_ms - self.start_ms
        if length <= _FOLD_TO_HOURS_OVER_MS:
            return 0
        return HOUR_MS if length <= _FOLD_TO_DAYS_OVER_MS else 24 * HOUR_MS


@dataclass(slots=True)
class _Appointment:
    schedule: Schedule
    timing: Timing
    next_at: int | None


@dataclass(slots=True)
class _Task:
    due_at: int
    function_id: str
    event: Any
    attempts: int
    first_at: int


class Agenda:
    def __init__(
        self,
        declared: Declarations,
        account_id: str,
        now_ms: Callable[[], int],
        invoke: Invoke,
        send_failure: SendFailure,
    ) -> None:
        self._declared = declared
        self._account_id = account_id
        self._now_ms = now_ms
        self._invoke = invoke
        self._send_failure = send_failure
        self._retries: list[_Task] = []
        made_at = now_ms()
        timings = [(each, parse(each.expression, made_at)) for each in declared.schedules]
        self._appointments = [
            _Appointment(schedule, timing, timing.next_after(made_at))
            for schedule, timing in timings
        ]

    def next_at(self) -> int | None:
        """When there is something to do next."""
        moments = [each.next_at for each in self._appointments if each.next_at is not None]
        return min([*moments, *(each.due_at for each in self._retries)], default=None)

    def enter(self, jump: Jump) -> None:
        """Fold, before the clock starts to move, what this jump folds."""
        for each in self._appointments:
            if each.next_at is not None and each.next_at > jump.start_ms:
                each.next_at = jump.next_tick(each.timing, each.next_at - 1)

    def fire_due(self, moment_ms: int, jump: Jump) -> None:
        """Fire everything that is due at this moment, in the template's order."""
        for each in self._appointments:
            if each.next_at is not None and each.next_at <= moment_ms:
                fired_at, each.next_at = each.next_at, jump.next_tick(each.timing, each.next_at)
                self._fire(each.schedule, fired_at)
        due = [each for each in self._retries if each.due_at <= moment_ms]
        self._retries = [each for each in self._retries if each.due_at > moment_ms]
        for retry in due:
            self._run(retry)

    def fire_rates(self) -> None:
        """Fire every rate() schedule once, now and beside its own times."""
        for each in self._appointments:
            if isinstance(each.timing, Rate):
                self._fire(each.schedule, self._now_ms())

    def _fire(self, schedule: Schedule, fired_at: int) -> None:
        event = self._event(schedule, fired_at) if schedule.input is None else schedule.input
        if isinstance(event, str):
            event = json.loads(event)
        now = self._now_ms()
        self._run(_Task(now, schedule.function_id, event, attempts=0, first_at=now))

    def _event(self, schedule: Schedule, fired_at: int) -> dict[str, Any]:
        moment = datetime.datetime.fromtimestamp(fired_at // 1000, datetime.UTC)
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": schedule.source,
            "account": self._account_id,
            "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": REGION,
            "resources": [schedule.arn],
            # The Scheduler writes its detail as text, a rule as an object.
            "detail": "{}" if schedule.source == "aws.scheduler" else {},
        }

    def _run(self, task: _Task) -> None:
        """An asynchronous invocation: retried on failure, as the function's policy has it."""
        outcome = self._invoke(task.function_id, task.event)
        if outcome.failure is None:
            return
        policy = self._declared.async_policies.get(task.function_id, AsyncPolicy())
        task.attempts += 1
        wait = _RETRY_AFTER_MS[min(task.attempts, len(_RETRY_AFTER_MS)) - 1]
        due_at = self._now_ms() + wait
        too_old = due_at - task.first_at > policy.max_age_s * 1000
        if task.attempts <= policy.max_retries and not too_old:
            task.due_at = due_at
            self._retries.append(task)
            return
        if policy.on_failure_arn is not None:
            message = async_failure(
                event=task.event,
                function_arn=self._declared.functions[task.function_id].arn,
                condition="EventAgeExceeded" if too_old else "RetriesExhausted",
                attempts=task.attempts,
                outcome=outcome,
                now_ms=self._now_ms(),
            )
            self._send_failure(policy.on_failure_arn, message)
