"""What a template declares, as plain values with every reference resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.patterns import Filters

DEFAULT_ROUTE = "$default"


@dataclass(frozen=True, slots=True)
class Function:
    """`statements` is the function's own IAM policy, with resources as local ARNs."""

    logical_id: str
    name: str
    arn: str
    folder: Path
    handler: str
    environment: Mapping[str, str]
    timeout_s: int
    memory_mb: int
    statements: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Route:
    """`method` is upper case or ANY; the default route has the path DEFAULT_ROUTE."""

    method: str
    path: str
    function_id: str


@dataclass(frozen=True, slots=True)
class Table:
    """`request` is the body of the CreateTable call, `ttl_attribute` is None without TTL."""

    logical_id: str
    name: str
    arn: str
    stream_arn: str | None
    request: Mapping[str, Any]
    ttl_attribute: str | None


@dataclass(frozen=True, slots=True)
class Redrive:
    target_arn: str
    max_receive_count: int


@dataclass(frozen=True, slots=True)
class Queue:
    logical_id: str
    name: str
    arn: str
    url: str
    delay_s: int
    visibility_timeout_s: int
    retention_s: int
    redrive: Redrive | None


@dataclass(frozen=True, slots=True)
class EventSource:
    """What every event source mapping has: where records come from and who gets them."""

    logical_id: str
    function_id: str
    source_arn: str
    batch_size: int
    filters: Filters
    reports_item_failures: bool


@dataclass(frozen=True, slots=True)
class StreamMapping(EventSource):
    """-1 means no limit, as in AWS."""

    bisects: bool
    max_retries: int
    max_age_s: int
    on_failure_arn: str | None


@dataclass(frozen=True, slots=True)
class QueueMapping(EventSource):
    """`max_concurrency` is how many batches are delivered side by side."""

    max_concurrency: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """`input` is the event that the target gets instead of the usual one."""

    logical_id: str
    arn: str
    source: str
    expression: str
    function_id: str
    input: Any = None


@dataclass(frozen=True, slots=True)
class MailEvents:
    """Which events of the e-mails sent with a configuration set SES puts on the event bus."""

    configuration_set: str
    event_types: frozenset[str]


@dataclass(frozen=True, slots=True)
class EventRule:
    """A rule of the event bus: what it matches goes to queues."""

    logical_id: str
    pattern: Filters
    target_arns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AsyncPolicy:
    """What happens to an asynchronous invocation that fails."""

    max_retries: int = 2
    max_age_s: int = 21_600
    on_failure_arn: str | None = None


@dataclass(frozen=True, slots=True)
class Declarations:
    """The whole template. Mappings and schedules keep the template's order."""

    functions: Mapping[str, Function]
    routes: tuple[Route, ...]
    tables: Mapping[str, Table]
    queues: Mapping[str, Queue]
    stream_mappings: tuple[StreamMapping, ...]
    queue_mappings: tuple[QueueMapping, ...]
    schedules: tuple[Schedule, ...]
    mail_events: tuple[MailEvents, ...] = ()
    event_rules: tuple[EventRule, ...] = ()
    async_policies: Mapping[str, AsyncPolicy] = field(default_factory=dict)
