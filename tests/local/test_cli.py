from __future__ import annotations

import io
import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import botocore.session
import httpx
import pytest
from botocore.stub import Stubber

from local.cli import main
from local.rebuilding import Bar
from local.stack import Stack
from tests.api import Api

ROOT = Path(__file__).parent.parent.parent
GRAPEVINE = [sys.executable, "-c", "from local.cli import main; raise SystemExit(main())"]


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process of `grapevine run`, and the URL at which it says that it is ready."""
    process = subprocess.Popen(
        [*GRAPEVINE, "run", "--port", "0", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        ready = re.fullmatch(r"ready (http://127\.0\.0\.1:\d+)\n", process.stdout.readline())
        assert ready is not None
        yield process, ready[1]
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def get(url: str, key: str) -> tuple[int, Any]:
    answer = httpx.get(url, headers={"Authorization": f"Bearer {key}"})
    return answer.status_code, answer.json()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_empty_stack_takes_the_given_key_and_ends_quietly(number: signal.Signals) -> None:
    with running("--seed", "none", "--api-key", "mine") as (process, url):
        answer = get(f"{url}/v2/campaigns", "mine")
        stranger, _ = get(f"{url}/v2/campaigns", "yours")
        process.send_signal(number)

        assert answer == (200, {"campaigns": []})
        assert stranger == 403
        assert process.wait(timeout=10) == 0


def test_the_demo_prints_commands_that_work() -> None:
    with running() as (process, _):
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(5)]
        commands = [shlex.split(line) for line in lines if line.startswith("curl")]
        campaign, leader, credit = [
            json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            for command in commands
        ]

        assert lines[0].startswith("key ")
        assert (campaign["participantCount"], campaign["referralCount"]) == (9, 5)
        assert (leader["firstName"], leader["rank"]) == ("Ada", 1)
        assert credit["success"] is True


def test_a_port_in_use_is_said_to_be() -> None:
    with Stack(ROOT / "template.yaml", api_key=None) as stack:
        port = stack.url.rsplit(":", 1)[1]
        ended = subprocess.run(
            [*GRAPEVINE, "run", "--port", port],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    assert ended.returncode == 1
    assert f"port {port}" in ended.stderr


def test_invoke_prints_one_functions_answer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)

    status = main(["invoke", "GetCampaignFunction", "events/get_campaign.json"])

    answer = json.loads(capsys.readouterr().out)
    assert (status, answer["statusCode"]) == (0, 200)
    assert json.loads(answer["body"])["id"] == "sample"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["NoFunction", "events/get_campaign.json"], "no function NoFunction"),
        (["GetCampaignFunction", "events/none.json"], "events/none.json"),
    ],
)
def test_invoke_says_what_it_cannot_find(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    complaint: str,
) -> None:
    monkeypatch.chdir(ROOT)

    assert main(["invoke", *arguments]) == 1
    assert complaint in capsys.readouterr().err


class Commands:
    """Runs account and key commands against one local stack; gives what they print."""

    def __init__(self, stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
        self.stack = stack
        self.capsys = capsys

    def __call__(self, *arguments: str) -> Any:
        status = main([*arguments, "--endpoint", f"{self.stack.url}/_local/dynamodb"])
        printed = self.capsys.readouterr()
        assert status == 0, printed.err
        return json.loads(printed.out)

    def reads(self, secret: str) -> int:
        return get(f"{self.stack.url}/v2/campaigns", secret)[0]


@pytest.fixture
def commands(capsys: pytest.CaptureFixture[str]) -> Iterator[Commands]:
    with Stack(ROOT / "template.yaml", api_key=None) as stack:
        yield Commands(stack, capsys)


def test_a_key_works_until_it_is_revoked(commands: Commands) -> None:
    account = commands("account", "create", "--name", "Acme")["accountId"]
    key = commands("key", "create", "--account", account, "--scope", "program:read")

    before = commands.reads(key["secret"])
    commands("key", "revoke", key["keyId"], "--account", account)
    commands.stack.advance(60_000)

    assert (before, commands.reads(key["secret"])) == (200, 403)
    assert key["scopes"] == ["program:read"]


def test_a_rotated_key_stays_good_for_its_grace_on_the_stacks_clock(commands: Commands) -> None:
    commands.stack.advance(86_400_000)
    account = commands("account", "create", "--name", "Acme")["accountId"]
    old = commands("key", "create", "--account", account, "--name", "site")

    new = commands("key", "rotate", old["keyId"], "--account", account, "--grace-hours", "2")
    during = commands.reads(old["secret"]), commands.reads(new["secret"])
    commands.stack.advance(3 * 3_600_000)
    after = commands.reads(old["secret"]), commands.reads(new["secret"])

    assert (during, after) == ((200, 200), (403, 200))


def test_a_listing_shows_no_secrets(commands: Commands) -> None:
    account = commands("account", "create", "--name", "Acme")["accountId"]
    key = commands("key", "create", "--account", account, "--name", "site")

    listed = commands("key", "list", "--account", account)

    assert [(each["keyId"], each["name"]) for each in listed] == [(key["keyId"], "site")]
    assert key["secret"] not in json.dumps(listed)


def test_an_unknown_account_is_a_plain_complaint(
    commands: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint = f"{commands.stack.url}/_local/dynamodb"

    status = main(["key", "list", "--account", "nobody", "--endpoint", endpoint])

    assert status == 1
    assert capsys.readouterr().err.startswith("grapevine: ")


def test_an_endpoint_that_nobody_serves_is_a_plain_complaint(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["account", "create", "--name", "x", "--endpoint", "http://127.0.0.1:9"]) == 1
    assert "http://127.0.0.1:9" in capsys.readouterr().err


def test_two_places_at_once_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["account", "create", "--name", "x", "--stack-name", "s", "--table", "t"])

    assert status == 1
    assert "--stack-name stands alone" in capsys.readouterr().err


def test_a_deployed_stacks_table_is_found_by_its_logical_id(
    commands: Commands, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = botocore.session.get_session()
    session.set_credentials("key", "secret")
    cloudformation = session.create_client("cloudformation", region_name="us-east-1")
    resource = {
        "LogicalResourceId": "Table",
        "PhysicalResourceId": commands.stack.table_name,
        "ResourceType": "AWS::DynamoDB::Table",
        "LastUpdatedTimestamp": "2026-01-01T00:00:00Z",
        "ResourceStatus": "CREATE_COMPLETE",
    }
    clients = {"cloudformation": cloudformation, "dynamodb": commands.stack.dynamodb}
    session.create_client = clients.__getitem__  # type: ignore[method-assign,assignment]  # a stand-in for AWS
    monkeypatch.setattr(botocore.session, "get_session", lambda: session)

    with Stubber(cloudformation) as stub:
        stub.add_response(
            "describe_stack_resource",
            {"StackResourceDetail": resource},
            {"StackName": "production", "LogicalResourceId": "Table"},
        )
        status = main(["account", "create", "--name", "Acme", "--stack-name", "production"])

    assert status == 0
    assert json.loads(capsys.readouterr().out)["name"] == "Acme"


def test_a_rebuild_prints_what_was_wrong_and_then_that_nothing_is(
    commands: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = commands.stack
    account = commands("account", "create", "--name", "Acme")["accountId"]
    key = commands("key", "create", "--account", account)["secret"]
    with Api(stack.url, key) as api:
        campaign_id = api.campaign()
        api.add(campaign_id)
        stack.take_records("ProjectStandingsFunction")
        before = api.read_campaign(campaign_id)["participantCount"]
        arguments = ["rebuild", "--campaign", campaign_id, "--endpoint", _endpoint(stack)]
        capsys.readouterr()

        first, found = main(arguments), capsys.readouterr()
        second, found_then = main(arguments), capsys.readouterr()

        assert (first, second) == (0, 0)
        assert re.fullmatch(
            r"changes that had not been counted \(lost, or still on their way\): 1\n"
            r"  \w{6}: was not counted\n",
            found.out,
        )
        assert found_then.out == "nothing was wrong\n"
        assert found.err == found_then.err == ""  # no bar: it is not a terminal
        assert (before, api.read_campaign(campaign_id)["participantCount"]) == (0, 1)


def test_a_rebuild_of_an_unknown_campaign_ends_with_2(
    commands: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["rebuild", "--campaign", "nobody", "--endpoint", _endpoint(commands.stack)])

    assert status == 2
    assert capsys.readouterr().err == "grapevine: there is no campaign nobody\n"


def test_a_terminal_is_shown_how_far_a_rebuild_is() -> None:
    terminal = Terminal()
    bar = Bar(terminal)

    bar.show("reading standings", 500, 2000)
    bar.show("counting totals", 0, 0)
    bar.clear()

    erased = "\r\x1b[K"
    assert terminal.getvalue().split(erased) == [
        "",
        "reading standings        [#######.......................] 500 of 2,000",
        "counting totals          [##############################] 0 of 0",
        "",
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _endpoint(stack: Stack) -> str:
    return f"{stack.url}/_local/dynamodb"
