"""Reads that do not depend on each other, made at the same time."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_MOST_AT_ONCE = 16


def in_parallel(calls: Sequence[Callable[[], T]]) -> list[T]:
    """The results in the order of the calls; the first error is raised. Threads see the caller's
    runtime."""
    if len(calls) < 2:
        return [call() for call in calls]
    contexts = [contextvars.copy_context() for _ in calls]
    with ThreadPoolExecutor(max_workers=min(len(calls), _MOST_AT_ONCE)) as pool:
        futures = [
            pool.submit(context.run, call) for context, call in zip(contexts, calls, strict=True)
        ]
        return [future.result() for future in futures]
