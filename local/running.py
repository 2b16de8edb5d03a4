"""The two commands that bring a stack up: `grapevine run` and `grapevine invoke`."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from grapevine import runtime
from local import sample, seed
from local.declarations import Function
from local.refusals import Refused
from local.stack import DEFAULT_API_KEY, InvocationFailed, Stack


def serve(template: Path, *, port: int, engine: str, with_demo: bool, api_key: str | None) -> int:
    """Serve until the process is told to end. Functions log to standard error.

    Raises:
        Refused: the port is taken.
    """
    output = sys.stdout
    key = api_key or DEFAULT_API_KEY
    stop = _ends_on_signals()
    with contextlib.redirect_stdout(sys.stderr):
        logging.basicConfig(format="%(name)s: %(message)s", level=logging.INFO)
        stack = Stack(template, engine, background=True, port=port, api_key=key)
        _give_environment(stack.declared.functions)
        with contextlib.ExitStack() as ending:
            try:
                ending.enter_context(stack)
            except OSError as error:
                raise Refused(f"port {port}: {error.strerror}") from None
            demo = seed.demo(stack.url, key) if with_demo else None
            _announce(output, stack, key, demo)
            stop.wait()
    return 0


def invoke(template: Path, function_id: str, event: Path, *, engine: str) -> int:
    """Print one function's answer to an event of `events/`, on a table with their sample data.

    Raises:
        Refused: there is no such function, or no such event.
    """
    output = sys.stdout
    with contextlib.redirect_stdout(sys.stderr), Stack(template, engine, api_key=None) as stack:
        functions = stack.declared.functions
        if function_id not in functions:
            raise Refused(f"no function {function_id}; there are {', '.join(functions)}")
        _give_environment(functions)
        with runtime.using(stack.runtime()):
            sample.write()
        try:
            answer = stack.invoke(function_id, _read(event))
        except InvocationFailed as failed:
            print(json.dumps(failed.failure.payload(), indent=2), file=output)
            return 1
    print(json.dumps(answer, indent=2), file=output)
    return 0


def _announce(output: TextIO, stack: Stack, key: str, demo: seed.Demo | None) -> None:
    lines = [f"ready {stack.url}", f"key {key}"]
    if demo is not None:
        lines += ["try", *(f"  {command}" for command in demo.commands(stack.url, key))]
    print("\n".join(lines), file=output, flush=True)


def _ends_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _give_environment(functions: Mapping[str, Function]) -> None:
    """Powertools reads its own variables from the process, which Lambda would have set."""
    for function in functions.values():
        for name, value in function.environment.items():
            if name.startswith("POWERTOOLS_"):
                os.environ.setdefault(name, value)


def _read(event: Path) -> object:
    try:
        return json.loads(event.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(f"{event}: {error}") from None
