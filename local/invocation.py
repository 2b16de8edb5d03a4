"""What one run of a handler did: its calls to AWS, what they cost, and whether it was killed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

Call = tuple[str, str]
"""What IAM would check: an action (`dynamodb:Query`) and the ARN of a resource."""


class Killed(BaseException):
    """The function's process died. Not an Exception, so that no handler can survive it."""


@dataclass(slots=True)
class KillOrder:
    """Kills the next invocation right after its call number `after_calls` has been carried out.

    0 kills it before its first call. `happened` tells whether there were that many calls.
    """

    after_calls: int
    function_id: str | None = None
    happened: bool = False


@dataclass(slots=True)
class Invocation:
    """Counts are safe to add to from the threads that a handler starts."""

    function_id: str
    order: KillOrder | None = None
    calls: int = 0
    read_units: float = 0.0
    write_units: float = 0.0
    permissions: set[Call] = field(default_factory=set)
    _dead: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def starts_call(self, permissions: set[Call]) -> None:
        with self._lock:
            if self.order is not None and self.order.after_calls == 0:
                self._dead = self.order.happened = True
            if self._dead:
                raise Killed
            self.permissions |= permissions

    def ends_call(self, read_units: float, write_units: float) -> None:
        with self._lock:
            if self._dead:
                raise Killed
            self.calls += 1
            self.read_units += read_units
            self.write_units += write_units
            if self.order is not None and self.calls >= self.order.after_calls:
                self._dead = self.order.happened = True
                raise Killed


_current: ContextVar[Invocation | None] = ContextVar("invocation", default=None)


def current() -> Invocation | None:
    """The invocation that this thread works for, if its context was copied from the handler's."""
    return _current.get()


@contextmanager
def within(invocation: Invocation) -> Iterator[None]:
    token = _current.set(invocation)
    try:
        yield
    finally:
        _current.reset(token)
