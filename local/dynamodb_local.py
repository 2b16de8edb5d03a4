"""Starts DynamoDB Local from a folder, on a free port, for as long as it is needed."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.endpoint_engine import EndpointEngine

_JAR = "DynamoDBLocal.jar"
_STARTS_WITHIN_S = 30


class NotStarted(RuntimeError):
    """DynamoDB Local did not answer; the message says why, as far as it is known."""


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The URL of a DynamoDB Local that keeps everything in memory; it ends with the block.

    Each access key has a database of its own: in a shared one the streams of tables that are long
    deleted slow every write down.

    Raises:
        NotStarted: there is no Java, no jar in `folder`, or no answer in half a minute.
    """
    java = shutil.which("java")
    if java is None:
        raise NotStarted("DynamoDB Local needs Java on the path")
    if not (folder / _JAR).is_file():
        raise NotStarted(f"there is no {_JAR} in {folder}")
    port = _free_port()
    command = [
        java,
        "-Djava.library.path=./DynamoDBLocal_lib",
        "-jar",
        _JAR,
        "-inMemory",
        "-disableTelemetry",
        "-port",
        str(port),
    ]
    process = subprocess.Popen(  # noqa: S603 - the command is made of nothing that anybody sends
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url, process)
        yield url
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    engine = EndpointEngine(url)
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise NotStarted(f"java ended with status {process.returncode}")
        try:
            engine.forward("DynamoDB_20120810.ListTables", json.dumps({}).encode())
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise NotStarted(f"nothing answers at {url}")
