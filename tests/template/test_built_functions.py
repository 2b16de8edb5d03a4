"""What `sam build` makes runs: each function answers its sample event, as Lambda would call it.

A function is a process of its own that finds its folder, its layers and Lambda's boto3, and
nothing else of this machine's Python. Its environment is the template's.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from grapevine import runtime
from local import sample
from local.stack import Stack
from tests.template import bundle
from tests.template.bundle import ROOT, TEMPLATE

FUNCTION_IDS = sorted(bundle.declarations().functions)
SAM = Path(os.environ.get("GRAPEVINE_SAM", ROOT / ".venv-sam" / "bin" / "sam"))

# Lambda's runtime has boto3 and what boto3 needs.
OF_THE_RUNTIME = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")

STATUSES = {"allow_origin": 204, "answer_unknown_route": 404, "follow_share_link": 302}

# Powertools logs to standard output, so the answer goes to a file.
_INVOKE = """
import json, sys, types
import app
context = types.SimpleNamespace(
    aws_request_id="sample", function_name="sample", memory_limit_in_mb="128",
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:sample",
    get_remaining_time_in_millis=lambda: 29000,
)
answer = app.handler(json.load(sys.stdin), context)
with open(sys.argv[1], "w") as file:
    json.dump(answer, file)
"""


@dataclass(frozen=True, slots=True)
class Build:
    """The template that `sam build` wrote, and a folder with Lambda's own packages."""

    template: Path
    lambda_packages: Path

    def folder(self, function_id: str) -> Path:
        properties = bundle.source(self.template)["Resources"][function_id]["Properties"]
        return self.template.parent / str(properties["CodeUri"])

    def layers(self) -> list[Path]:
        source = bundle.source(self.template)
        named = [layer["Ref"] for layer in source["Globals"]["Function"]["Layers"]]
        contents = [source["Resources"][name]["Properties"]["ContentUri"] for name in named]
        return [self.template.parent / content for content in contents]

    def search_path(self, function_id: str) -> str:
        """In Lambda's order: the function, its layers, the runtime."""
        layers = [layer / "python" for layer in self.layers()]
        return os.pathsep.join(
            str(path) for path in (self.folder(function_id), *layers, self.lambda_packages)
        )


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """`sam build`, with wheels for this machine in place of Lambda's."""
    if not SAM.exists():
        pytest.fail(f"{SAM} is missing: run `make setup`")
    folder = tmp_path_factory.mktemp("sam")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    finished = subprocess.run(
        [SAM, "build", "--build-dir", folder / "build"],
        cwd=ROOT,
        env={
            "AWS_DEFAULT_REGION": "us-east-1",
            **kept,
            "LAYER": "host",
            "LAMBDA_PYTHON": sys.executable,
            "SAM_CLI_TELEMETRY": "0",
            "__SAM_CLI_APP_DIR": str(folder / "settings"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return Build(folder / "build" / "template.yaml", _lambda_packages(folder / "runtime"))


def _lambda_packages(folder: Path) -> Path:
    folder.mkdir()
    for name in OF_THE_RUNTIME:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (folder / source.name).symlink_to(source)
    return folder


@pytest.fixture
def seeded() -> Iterator[Stack]:
    """A stack that holds what the sample events speak of."""
    with Stack(TEMPLATE, engine="moto", background=False) as stack:
        with runtime.using(stack.runtime()):
            sample.write()
        yield stack


class _Accepts(BaseHTTPRequestHandler):
    """A KMS that encrypts nothing and an SQS that takes everything."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        match self.headers["X-Amz-Target"]:
            case "TrentService.Encrypt":
                answer = {"KeyId": body["KeyId"], "CiphertextBlob": body["Plaintext"]}
            case "AmazonSQS.SendMessageBatch":
                taken = [
                    {
                        "Id": entry["Id"],
                        "MessageId": entry["Id"],
                        "MD5OfMessageBody": "not checked",
                    }
                    for entry in body["Entries"]
                ]
                answer = {"Successful": taken, "Failed": []}
            case unknown:
                raise NotImplementedError(unknown)
        text = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def accepting() -> Iterator[str]:
    """The URL of a stand-in for the services that the stack serves to its own functions only."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Accepts) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _invoke(
    build: Build, stack: Stack, services: str, function_id: str, event: Any, answer: Path
) -> Any:
    finished = subprocess.run(
        [sys.executable, "-S", "-s", "-P", "-B", "-c", _INVOKE, answer],
        input=json.dumps(event),
        env={
            **stack.declared.functions[function_id].environment,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_DYNAMODB": f"{stack.url}/_local/dynamodb",
            "AWS_ENDPOINT_URL_KMS": services,
            "AWS_ENDPOINT_URL_SQS": services,
            "PYTHONPATH": build.search_path(function_id),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(answer.read_text(encoding="utf-8"))


@pytest.mark.parametrize("function_id", FUNCTION_IDS)
def test_a_built_function_answers_its_sample_event(
    build: Build, seeded: Stack, accepting: str, function_id: str, tmp_path: Path
) -> None:
    folder = bundle.folder_of(function_id)
    event = bundle.event(folder)

    answer = _invoke(build, seeded, accepting, function_id, event, tmp_path / "answer.json")

    if "statusCode" in answer:
        assert answer["statusCode"] == STATUSES.get(folder, 200), answer["body"]
    else:
        assert answer.get("batchItemFailures", []) == []


def test_a_built_function_finds_only_its_layers_and_lambdas_packages(
    build: Build, tmp_path: Path
) -> None:
    found = subprocess.run(
        [sys.executable, "-S", "-s", "-P", "-B", "-c", "import moto"],
        env={"PYTHONPATH": build.search_path(FUNCTION_IDS[0])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "No module named 'moto'" in found.stderr


def test_the_built_layers_hold_no_boto3_and_no_tests_of_ours(build: Build) -> None:
    names = {path.name for layer in build.layers() for path in (layer / "python").iterdir()}

    assert {"grapevine", "pydantic", "aws_lambda_powertools"} <= names
    assert not {"boto3", "botocore", "tests", "local"} & names


def test_the_built_layers_are_compiled(build: Build) -> None:
    tag = sys.implementation.cache_tag

    for layer, module in zip(build.layers(), ("grapevine/runtime", "pydantic/main"), strict=True):
        source = layer / "python" / f"{module}.py"
        compiled = source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc"
        # The flags behind the magic number: hash-based, and not checked against the source.
        assert compiled.read_bytes()[4] == 0b01
