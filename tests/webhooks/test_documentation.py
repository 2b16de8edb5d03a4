"""What docs/webhooks.md says is so: its snippets verify, its tables and samples are the code's."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from grapevine.engine.webhooks import payload, schedule, signing, transitions
from local import webhook_samples
from tests.conftest import ROOT

DOCUMENT = (ROOT / "docs" / "webhooks.md").read_text()
SECRETS = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "tajné heslo 🔑"]
OTHER = "whsec_b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXI="
BODY = payload.to_bytes({"event": "NEW_PARTICIPANT_ADDED", "data": {"firstName": "Žofie 👩‍👩‍👧"}})
MINUTE_S = 60
UNITS_S = {"s": 1, "min": 60, "h": 3600}


def snippet(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found, f"the document has no {language}"
    return found[1]


def signed(secrets: list[str], seconds_ago: int = 0) -> dict[str, str]:
    at = round((time.time() - seconds_ago) * 1000)
    made = signing.headers("evt_1", at, BODY, secrets)
    return {name.lower(): value for name, value in made.items()}


CASES: dict[str, tuple[Callable[[str], dict[str, str]], bytes, bool]] = {
    "signed": (lambda secret: signed([secret]), BODY, True),
    "while the secret is changed": (lambda secret: signed([OTHER, secret]), BODY, True),
    "another secret": (lambda _: signed([OTHER]), BODY, False),
    "another body": (lambda secret: signed([secret]), BODY.replace(b"NEW", b"OLD"), False),
    "too old": (lambda secret: signed([secret], 6 * MINUTE_S), BODY, False),
    "from the future": (lambda secret: signed([secret], -6 * MINUTE_S), BODY, False),
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("case", CASES)
def test_the_snippet_in_python_verifies(case: str, secret: str) -> None:
    headers, body, expected = CASES[case]
    names: dict[str, Any] = {}
    exec(snippet("python"), names)  # noqa: S102 - our own document

    assert names["verify"](headers(secret), body, secret) is expected


@pytest.mark.parametrize("case", CASES)
def test_the_snippet_with_the_library_verifies(case: str) -> None:
    headers, body, expected = CASES[case]
    names: dict[str, Any] = {}
    exec(snippet("python library"), names)  # noqa: S102 - our own document

    def read() -> Any:
        return names["read"](headers(SECRETS[0]), body, SECRETS[0])

    if expected:
        assert read() == json.loads(body)
    else:
        with pytest.raises(WebhookVerificationError):
            read()


def answers_of_node(folder: Path, snippet_: str, body: str, cases: list[Any]) -> list[bool]:
    """What the snippet's `verify` says of each (headers, body, secret)."""
    program = shutil.which("node")
    assert program, "this test needs Node.js"
    script = folder / "verify.mjs"
    script.write_text(
        f"{snippet_}\n"
        "const cases = JSON.parse(process.argv[2]);\n"
        f"const answer = ([headers, body, secret]) => verify(headers, {body}, secret);\n"
        "console.log(JSON.stringify(cases.map(answer)));\n"
    )
    given = json.dumps([[headers, body.decode(), secret] for headers, body, secret in cases])
    done = subprocess.run(
        [program, str(script), given], capture_output=True, check=True, encoding="utf-8"
    )
    answers: list[bool] = json.loads(done.stdout)
    return answers


def test_the_snippet_in_node_verifies(tmp_path: Path) -> None:
    cases = [
        (headers(secret), body, secret) for headers, body, _ in CASES.values() for secret in SECRETS
    ]

    answers = answers_of_node(tmp_path, snippet("js"), "Buffer.from(body)", cases)

    assert answers == [expected for *_, expected in CASES.values() for _ in SECRETS]


def test_the_snippet_for_growsurfs_header_verifies(tmp_path: Path) -> None:
    """That header knows the newest secret only."""
    cases = [
        (headers(secret), body, secret) for headers, body, _ in CASES.values() for secret in SECRETS
    ]

    answers = answers_of_node(tmp_path, snippet("js growsurf"), "JSON.parse(body)", cases)

    expected = [case == "signed" for case in CASES for _ in SECRETS]
    assert answers == expected


def test_the_samples_are_what_the_code_makes() -> None:
    assert webhook_samples.with_samples(DOCUMENT) == DOCUMENT
    assert tuple(webhook_samples.samples()) == transitions.EVENT_NAMES


def seconds(text: str) -> int:
    """What `2 h 35 min` or `at once` is."""
    return sum(int(number) * UNITS_S[unit] for number, unit in re.findall(r"(\d+) (\w+)", text))


def test_the_retry_table_is_the_schedule() -> None:
    rows = re.findall(r"^\| (\d+) \| (.*?) \| (.*?) \|$", DOCUMENT, re.MULTILINE)

    waits = [wait // 1000 for wait in schedule.WAITS_MS]
    assert [int(number) for number, *_ in rows] == list(range(1, schedule.MOST_ATTEMPTS + 1))
    assert [seconds(wait) for _, wait, _ in rows] == waits
    for index, (_, _, since) in enumerate(rows):
        assert seconds(since) == pytest.approx(sum(waits[: index + 1]), abs=5)


def test_every_header_that_is_sent_is_described() -> None:
    for name in signing.headers("evt_1", 0, b"{}", ["secret"]):
        assert f"| `{name}` |" in DOCUMENT


@pytest.mark.parametrize("name", transitions.EVENT_NAMES)
def test_the_samples_have_the_fields_of_the_events_that_were_received(name: str) -> None:
    received = json.loads((ROOT / "tests/golden/webhooks" / f"{name}.json").read_text())

    assert fields(webhook_samples.samples()[name]) == fields(received)


def fields(value: Any, path: str = "") -> set[str]:
    """The paths of all fields, but for what a campaign's owner puts into metadata."""
    if isinstance(value, list):
        return {path}.union(*(fields(each, path) for each in value))
    if not isinstance(value, dict) or path.endswith("metadata"):
        return {path}
    return set().union(*(fields(each, f"{path}.{name}") for name, each in value.items()))
