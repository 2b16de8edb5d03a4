"""The whole stack on one machine: put together from the template, served, and taken apart."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from grapevine import runtime
from local import kms_api, ses_api, sqs_api, template
from local.agenda import Agenda
from local.api import Api
from local.capacity import TableShape
from local.clock import Clock
from local.control import Control
from local.engine import Engine
from local.engines import choose
from local.functions import Failure, Functions
from local.http_messages import Request, Response
from local.http_server import HttpServer
from local.inbox import Inboxes
from local.invocation import Call, KillOrder
from local.mail_service import UNVERIFIED, MailService
from local.names import Names
from local.observer import Observer
from local.queue_consumer import QueueConsumer
from local.queues import Message, Queues
from local.stream_consumer import StreamConsumer
from local.stream_log import StreamLog
from local.worker import Background, Worker

DEFAULT_API_KEY = "local-api-key"


class UnsupportedService(ValueError):
    """A handler asks for a client of a service that the stack does not stand in for."""


class InvocationFailed(Exception):
    """The handler raised, or was killed; `failure` says what Lambda would."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.kind}: {failure.message}")
        self.failure = failure


SENDERS = ("example.com", "hooli.example", "verified.example", UNVERIFIED)
"""What the e-mails of the first account may come from; SES refuses the last one."""


class Stack:
    """A stack, up as long as the `with` block that it opens.

    `engine` is `moto`, the URL of a DynamoDB endpoint, or an engine. `api_key` becomes the
    full-access key of a first account; None makes none. Without `background` nothing moves but by
    `drain`, `advance` and `set_clock`. `parameters` are the template's.
    """

    engine: Engine
    queues: Queues
    inboxes: Inboxes
    functions: Functions
    mail: MailService

    def __init__(
        self,
        template_path: str | Path = "template.yaml",
        engine: str | Engine = "moto",
        *,
        background: bool = False,
        port: int = 0,
        api_key: str | None = DEFAULT_API_KEY,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        self.api_key = api_key
        self.account_id: str | None = None
        self.engine = choose(engine) if isinstance(engine, str) else engine
        self.dynamodb = self.engine.client()
        """A DynamoDB client that nobody meters or records."""
        self._clock = Clock()
        self._names = Names(f"grapevine-{secrets.token_hex(4)}", self.engine.account_id)
        self.declared = template.read(Path(template_path), self._names, parameters)
        self.queues = Queues(self.declared.queues.values(), self.now_ms)
        self.inboxes = Inboxes(self.now_ms, time.sleep)
        self.mail = MailService(
            self.declared.mail_events,
            self.declared.event_rules,
            self._names,
            self.now_ms,
            self.queues.send,
        )
        self._clients = self._observed_clients()
        self.functions = Functions(self.declared.functions, self.now_ms, self._client)
        self._api = Api(self.declared.routes, self.functions, self.engine.account_id, self.now_ms)
        self._control = Control(self)
        self._port = port
        self._in_background = background
        self._background: Background | None = None

    def __enter__(self) -> Self:
        self._server = HttpServer(self._port, self._answer)
        self.functions.point(self._names.api_url("Api"), self.url)
        self._consumers, self._worker = self._assemble()
        if self.api_key is not None:
            self.account_id = self._open_account(self.api_key)
        self._server.start()
        if self._in_background:
            self._background = Background(self._worker)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._background is not None:
            self._background.stop()
        self._server.stop()
        for table in self.declared.tables.values():
            self.engine.delete_table(table)

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def table_name(self) -> str:
        """The name of the table, of which the template must have exactly one."""
        (table,) = self.declared.tables.values()
        return table.name

    @property
    def calls(self) -> Mapping[str, set[Call]]:
        """What each function asked of AWS so far: (action, ARN) pairs, as IAM checks them."""
        return self.functions.calls

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def set_clock(self, now_ms: int) -> None:
        """Move the clock forward to a time; everything due on the way is done.

        Raises:
            BackwardMove: the time has passed.
        """
        self._worker.move_to(now_ms)

    def advance(self, ms: int) -> None:
        self._worker.move_by(ms)

    def drain(self) -> dict[str, int]:
        """Do everything that is pending or due; what `POST /_local/drain` answers."""
        work = self._worker.drain()
        return {"streamRecords": work.stream_records, "queueMessages": work.queue_messages}

    def queue_messages(self, logical_id: str) -> list[Message]:
        """What lies in a queue, visible or not."""
        return self.queues.messages(logical_id)

    def invoke(self, function_id: str, event: Any) -> Any:
        """A function's answer to an event.

        Raises:
            InvocationFailed: it raised.
        """
        outcome = self.functions.invoke(function_id, event)
        if outcome.failure is not None:
            raise InvocationFailed(outcome.failure)
        return outcome.payload

    def deliver(self, function_id: str, records: list[dict[str, Any]]) -> Any:
        """A consumer's answer to a batch of records that a test made up, cut or reordered."""
        return self.invoke(function_id, self._consumers[function_id].event(records))

    def redeliver(self, function_id: str) -> Any:
        """Deliver the consumer's last batch once more, as AWS may do at any time."""
        return self.deliver(function_id, self._consumers[function_id].last_delivered)

    def take_records(self, function_id: str) -> list[dict[str, Any]]:
        """Take what is pending for a stream consumer off its stream, without delivering it."""
        return self._consumers[function_id].take_pending()

    @contextmanager
    def batches_of(self, function_id: str, size: int) -> Iterator[None]:
        """Deliver in batches of another size than the template's."""
        consumer = self._consumers[function_id]
        declared, consumer.batch_size = consumer.batch_size, size
        try:
            yield
        finally:
            consumer.batch_size = declared

    @contextmanager
    def hold(self, function_id: str) -> Iterator[None]:
        """Deliver nothing to the consumer: its mapping is disabled, or AWS is late."""
        consumer = self._consumers[function_id]
        consumer.held = True
        try:
            yield
        finally:
            consumer.held = False

    @contextmanager
    def kill_after(self, calls: int, function_id: str | None = None) -> Iterator[KillOrder]:
        """Let the process of the next invocation die right after its call number `calls`.

        The call has been carried out; its answer never arrives. 0 dies before the first call.
        What is given says by `happened` whether the invocation made that many calls.
        """
        order = self.functions.order = KillOrder(calls, function_id)
        try:
            yield order
        finally:
            self.functions.order = None

    def runtime(self) -> runtime.Runtime:
        """A runtime on this stack's table, for engine calls from outside any function."""
        settings = runtime.Settings({"TABLE_NAME": self.table_name})
        clients = {"dynamodb": self.dynamodb}
        return runtime.Runtime(settings, now_ms=self.now_ms, client=clients.__getitem__)

    def _answer(self, request: Request) -> Response:
        return self._control.answer(request) or self._api.answer(request)

    def _observed_clients(self) -> dict[str, Any]:
        shapes = {
            table.name: TableShape.of(table.request) for table in self.declared.tables.values()
        }
        observer = Observer(self._names, self.engine.meter(shapes))
        return {
            "dynamodb": observer.attach(self.engine.client()),
            "kms": observer.attach(kms_api.client()),
            "sesv2": observer.attach(ses_api.client(self.mail)),
            "sqs": observer.attach(sqs_api.client(self.queues)),
        }

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            raise UnsupportedService(service)
        return self._clients[service]

    def _assemble(self) -> tuple[dict[str, StreamConsumer | QueueConsumer], Worker]:
        logs = {
            table.stream_arn: StreamLog(source, self.now_ms)
            for table in self.declared.tables.values()
            if (source := self.engine.create_table(table)) is not None
        }
        from_streams = [
            StreamConsumer(
                mapping,
                logs[mapping.source_arn],
                self.declared.functions[mapping.function_id].arn,
                self.functions.invoke,
                self.queues.send,
                self.now_ms,
            )
            for mapping in self.declared.stream_mappings
        ]
        from_queues = [
            QueueConsumer(mapping, self.queues, self.functions.invoke)
            for mapping in self.declared.queue_mappings
        ]
        agenda = Agenda(
            self.declared,
            self.engine.account_id,
            self.now_ms,
            self.functions.invoke,
            self.queues.send,
        )
        worker = Worker(
            self._clock, agenda, list(logs.values()), from_streams, from_queues, self.queues
        )
        consumers: list[StreamConsumer | QueueConsumer] = [*from_streams, *from_queues]
        return {each.mapping.function_id: each for each in consumers}, worker

    def _open_account(self, api_key: str) -> str:
        # Imported here, so that a stack of other functions needs no engine of ours.
        from grapevine.engine import accounts

        with runtime.using(self.runtime()):
            account = accounts.create_account("Local")
            for identity in SENDERS:
                accounts.allow_sender(account.account_id, identity)
            accounts.create_key(
                account.account_id, name="Local", scopes=accounts.ALL_SCOPES, secret=api_key
            )
        return account.account_id
