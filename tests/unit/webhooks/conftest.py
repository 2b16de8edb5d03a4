"""A receiver in Node, for what only JavaScript can say."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


class NodeReceiver:
    """Parses bodies and writes them again, and verifies GrowSurf's header as GrowSurf does."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def rewritten(self, body: bytes) -> bytes:
        answer: str = self._ask(body)
        return answer.encode()

    def verifies(self, header: str, secret: str, body: bytes) -> bool:
        answer: bool = self._ask(body, header=header, secret=secret)
        return answer

    def _ask(self, body: bytes, **more: str) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        question = {"body": base64.b64encode(body).decode(), **more}
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())["answer"]


@pytest.fixture(scope="session")
def node() -> Iterator[NodeReceiver]:
    program = shutil.which("node")
    assert program, "these tests need Node.js"
    script = Path(__file__).with_name("receiver.mjs")
    with subprocess.Popen(
        [program, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        yield NodeReceiver(process)
        assert process.stdin
        process.stdin.close()
