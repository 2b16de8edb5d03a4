"""What came of one attempt to deliver an event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["delivered", "gone", "refused_by_policy", "failed"]
"""`gone`: the endpoint answered 410 and wants no more. `refused_by_policy`: nothing was sent,
since the destination is not one that webhooks may go to. `failed`: anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`status` is None when no answer came; `message` is short and ours, `response_snippet` the
    beginning of what the endpoint answered; `retry_after_ms` is what it asked for, unbounded."""

    kind: Kind
    message: str
    status: int | None = None
    response_snippet: str = ""
    duration_ms: int = 0
    retry_after_ms: int | None = None
