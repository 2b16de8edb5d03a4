"""What a function's container holds: its settings, its clock and its AWS clients.

In Lambda the default runtime reads the process environment once, on first use. The local
stack runs every function in one process, so it enters a runtime of its own around each call
(`using`): the settings then come from that function's block in the template and from nowhere
else, and the clock is the one clock of the stack.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from grapevine.errors import SettingMissing

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment variables of one function, as the template declares them."""

    environment: Mapping[str, str]

    @property
    def table_name(self) -> str:
        return self._required("TABLE_NAME")

    @property
    def due_queue_url(self) -> str:
        """Where `sweep_due` sends the work that has fallen due."""
        return self._required("DUE_QUEUE_URL")

    @property
    def webhook_queue_url(self) -> str:
        """Where first and early attempts to deliver a webhook event are queued."""
        return self._required("WEBHOOK_QUEUE_URL")

    @property
    def settlement_queue_url(self) -> str:
        """Where the closings of months are sent that are to be settled."""
        return self._required("SETTLEMENT_QUEUE_URL")

    @property
    def event_queue_url(self) -> str:
        """Where items are named from which something follows in a game."""
        return self._required("EVENT_QUEUE_URL")

    @property
    def mail_queue_url(self) -> str:
        """Where e-mails are queued that are to be sent."""
        return self._required("MAIL_QUEUE_URL")

    @property
    def mail_run_rate(self) -> int:
        """E-mails a second that runs, to all participants of a campaign, ask for in all."""
        return int(float(self._required("MAIL_RUN_RATE")))

    @property
    def mail_configuration_set(self) -> str:
        """The SES configuration set whose events tell what became of an e-mail."""
        return self._required("MAIL_CONFIGURATION_SET")

    @property
    def public_url(self) -> str:
        """Where the API is found from outside, without a slash at its end."""
        return self._required("PUBLIC_URL").rstrip("/")

    @property
    def webhook_key_id(self) -> str:
        """The KMS key that webhook secrets are encrypted with."""
        return self._required("WEBHOOK_KEY_ID")

    @property
    def webhook_local_hosts(self) -> frozenset[str]:
        """Hosts on this machine that webhooks may go to: none but in the local stack."""
        return frozenset(filter(None, self._required("WEBHOOK_LOCAL_HOSTS").split(",")))

    def _required(self, name: str) -> str:
        try:
            return self.environment[name]
        except KeyError:
            raise SettingMissing(name) from None


def _system_time_ms() -> int:
    return time.time_ns() // 1_000_000


@functools.cache
def _botocore_client(service: str) -> Any:
    # botocore, not boto3: the client is the same and the import is cheaper. Short timeouts:
    # a hung connection must fail well inside API Gateway's 30 s.
    import botocore.session
    from botocore.config import Config

    # A call to SES is never repeated by the client: an e-mail would go out twice.
    sends_mail = service == "sesv2"
    config = Config(
        connect_timeout=1,
        read_timeout=10 if sends_mail else 4,
        retries={"mode": "standard", "total_max_attempts": 1 if sends_mail else 5},
        max_pool_connections=32,
    )
    return botocore.session.get_session().create_client(service, config=config)


@dataclass(frozen=True, slots=True)
class Runtime:
    """`now_ms` is Unix milliseconds, `client` gives the container's one client of a service,
    `cache` lives as long as the container."""

    settings: Settings
    now_ms: Callable[[], int] = _system_time_ms
    client: Callable[[str], Any] = _botocore_client
    cache: dict[str, Any] = field(default_factory=dict)


_entered: ContextVar[Runtime | None] = ContextVar("runtime", default=None)


@functools.cache
def _of_this_process() -> Runtime:
    return Runtime(Settings(dict(os.environ)))


def current() -> Runtime:
    return _entered.get() or _of_this_process()


@contextmanager
def using(runtime: Runtime) -> Iterator[None]:
    """Everything called inside sees `runtime` instead of the process's own."""
    token = _entered.set(runtime)
    try:
        yield
    finally:
        _entered.reset(token)


def settings() -> Settings:
    return current().settings


def now_ms() -> int:
    """The time, in Unix milliseconds."""
    return current().now_ms()


def dynamodb() -> DynamoDBClient:
    client: DynamoDBClient = current().client("dynamodb")
    return client


def kms() -> KMSClient:
    client: KMSClient = current().client("kms")
    return client


def ses() -> SESV2Client:
    client: SESV2Client = current().client("sesv2")
    return client


def sqs() -> SQSClient:
    client: SQSClient = current().client("sqs")
    return client
