"""Loads the handlers that the template names, and runs them as Lambda would."""

from __future__ import annotations

import importlib.util
import json
import logging
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from grapevine import runtime
from local.declarations import Function
from local.invocation import Call, Invocation, Killed, KillOrder, within
from local.names import REGION

Handler = Callable[[Any, "Context"], Any]

logger = logging.getLogger(__name__)

# Lambda's limit for an event and for an answer.
_LARGEST_PAYLOAD = 6 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Context:
    """What Lambda tells a handler about its invocation."""

    function_name: str
    invoked_function_arn: str
    memory_limit_in_mb: str
    aws_request_id: str
    log_group_name: str
    log_stream_name: str
    deadline: float
    function_version: str = "$LATEST"
    identity: None = None
    client_context: None = None

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - time.monotonic()) * 1000))


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a handler gave no answer, as Lambda reports it. `killed`: its process died."""

    kind: str
    message: str
    trace: tuple[str, ...] = ()
    killed: bool = False

    def payload(self) -> dict[str, Any]:
        return {
            "errorMessage": self.message,
            "errorType": self.kind,
            "stackTrace": list(self.trace),
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an invocation: a payload (plain JSON values), or a failure."""

    request_id: str
    invocation: Invocation
    payload: Any = None
    failure: Failure | None = None


class Functions:
    """All functions of a stack. Each has one runtime, as if it had one warm container.

    A timeout of the template bounds only what the context says: a thread cannot be stopped.
    """

    def __init__(
        self,
        declared: Mapping[str, Function],
        now_ms: Callable[[], int],
        client: Callable[[str], Any],
    ) -> None:
        self._declared = declared
        self._runtimes = {
            logical_id: runtime.Runtime(_settings(each), now_ms=now_ms, client=client)
            for logical_id, each in declared.items()
        }
        self.calls: dict[str, set[Call]] = {logical_id: set() for logical_id in declared}
        """What each function's handlers asked of AWS so far, as IAM would check it."""
        self.order: KillOrder | None = None
        self._lock = threading.Lock()

    def point(self, stand_in: str, url: str) -> None:
        """Put the stack's URL, now that it has one, where the environment has a stand-in."""
        for logical_id, each in self._runtimes.items():
            environment = {
                name: value.replace(stand_in, url)
                for name, value in each.settings.environment.items()
            }
            self._runtimes[logical_id] = replace(each, settings=runtime.Settings(environment))

    def invoke(self, function_id: str, event: Any) -> Outcome:
        """Run a handler to its end; whatever it raises is in the outcome."""
        function = self._declared[function_id]
        running = Invocation(function_id, order=self._take_order(function_id))
        context = _context(function)
        try:
            with within(running), runtime.using(self._runtimes[function_id]):
                handler = load_handler(function)
                payload = _through_json(handler(_through_json(event), context))
        except Killed:
            killed = Failure("Runtime.ExitError", "the process was killed", killed=True)
            return Outcome(context.aws_request_id, running, failure=killed)
        except Exception as error:
            logger.exception("%s failed", function_id)
            return Outcome(context.aws_request_id, running, failure=_failure(error))
        finally:
            with self._lock:
                self.calls[function_id] |= running.permissions
        return Outcome(context.aws_request_id, running, payload)

    def _take_order(self, function_id: str) -> KillOrder | None:
        with self._lock:
            order = self.order
            if order is None or order.function_id not in (None, function_id):
                return None
            self.order = None
            return order


def _settings(function: Function) -> runtime.Settings:
    # Lambda's own variables, beside those of the template.
    reserved = {"AWS_LAMBDA_FUNCTION_NAME": function.name, "AWS_REGION": REGION}
    return runtime.Settings({**function.environment, **reserved})


def _context(function: Function) -> Context:
    return Context(
        function_name=function.name,
        invoked_function_arn=function.arn,
        memory_limit_in_mb=str(function.memory_mb),
        aws_request_id=str(uuid.uuid4()),
        log_group_name=f"/aws/lambda/{function.name}",
        log_stream_name="local",
        deadline=time.monotonic() + function.timeout_s,
    )


def _through_json(value: Any) -> Any:
    """What Lambda does to events and answers: only what JSON can say gets through."""
    text = json.dumps(value)
    if len(text) > _LARGEST_PAYLOAD:
        raise ValueError(f"a payload of {len(text)} bytes is more than Lambda carries")
    return json.loads(text)


def _failure(error: Exception) -> Failure:
    return Failure(
        kind=type(error).__name__,
        message=str(error),
        trace=tuple(traceback.format_tb(error.__traceback__)),
    )


_modules: dict[Path, ModuleType] = {}
_loading = threading.RLock()


def load_handler(function: Function) -> Handler:
    """The handler of a function. Its module is imported once, under a name of its own."""
    module_name, _, name = function.handler.rpartition(".")
    path = (function.folder / f"{module_name}.py").resolve()
    with _loading:
        if path not in _modules:
            _modules[path] = _import(path)
    handler: Handler = getattr(_modules[path], name)
    return handler


def _import(path: Path) -> ModuleType:
    # Every function's module is called `app`, so the folder tells them apart. Two stacks of one
    # process can have folders of one name; their paths tell those apart.
    name = f"function_{path.parent.name}_{abs(hash(path)):x}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"there is no handler module {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
