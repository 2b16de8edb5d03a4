"""Accounts and keys as an operator makes them: with the installed command, on a running stack."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from grapevine.engine.access import KEY_CACHE_MS
from local.stack import Stack
from tests import invariants
from tests.api import Api, Json
from tests.scenarios import HOUR_MS, leap

GRAPEVINE = Path(sys.executable).with_name("grapevine")

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(fresh_stack: Stack) -> Iterator[Command]:
    """Runs `grapevine` on the stack; after the test the table is checked."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        where = ["--endpoint", f"{fresh_stack.url}/_local/dynamodb"]
        table = ["--table", fresh_stack.table_name]
        return subprocess.run(
            [GRAPEVINE, *words, *where, *table],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    yield run
    invariants.check(fresh_stack)


@pytest.fixture
def grapevine(command: Command) -> Callable[..., Any]:
    """The same, for commands that succeed: gives what they print."""

    def run(*words: str) -> Any:
        done = command(*words)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture
def account(grapevine: Callable[..., Any]) -> str:
    account_id: str = grapevine("account", "create", "--name", "Vineyard")["accountId"]
    return account_id


def _status(stack: Stack, secret: str, method: str = "GET") -> int:
    with Api(stack.url, secret) as api:
        return api.call(method, "/v2/campaigns", {"type": "REFERRAL"}).status_code


def test_a_new_key_opens_its_account_and_no_other(
    fresh_stack: Stack, grapevine: Callable[..., Any], account: str
) -> None:
    key: Json = grapevine("key", "create", "--account", account, "--name", "shop")

    with (
        Api(fresh_stack.url, key["secret"]) as own,
        Api(fresh_stack.url, fresh_stack.api_key) as other,
    ):
        campaign_id = own.campaign()
        assert [one["id"] for one in own.ok("GET", "/v2/campaigns")["campaigns"]] == [campaign_id]
        assert other.ok("GET", "/v2/campaigns")["campaigns"] == []
        assert other.call("GET", f"/v2/campaign/{campaign_id}").status_code == 403


def test_the_secret_is_shown_once_and_stored_nowhere(
    fresh_stack: Stack, command: Command, grapevine: Callable[..., Any], account: str
) -> None:
    key: Json = grapevine("key", "create", "--account", account, "--name", "shop")

    listed = command("key", "list", "--account", account).stdout

    assert [(one["keyId"], one["name"]) for one in json.loads(listed)] == [(key["keyId"], "shop")]
    assert key["secret"] not in listed
    stored = json.dumps(list(invariants.table_of(fresh_stack).values()), default=str)
    assert key["secret"] not in stored


def test_a_key_may_do_what_its_scopes_say(
    fresh_stack: Stack, grapevine: Callable[..., Any], account: str
) -> None:
    key: Json = grapevine("key", "create", "--account", account, "--scope", "program:read")

    assert key["scopes"] == ["program:read"]
    assert _status(fresh_stack, key["secret"]) == 200
    assert _status(fresh_stack, key["secret"], "POST") == 403


@pytest.mark.parametrize("environment", ["live", "test"])
def test_a_keys_first_letters_say_what_it_is(
    grapevine: Callable[..., Any], environment: str
) -> None:
    made = grapevine("account", "create", "--name", "Vineyard", "--environment", environment)
    account = made["accountId"]

    secret = grapevine("key", "create", "--account", account)
    public = grapevine("key", "create", "--account", account, "--public")
    rotated = grapevine("key", "rotate", public["keyId"], "--account", account)

    assert made["environment"] == environment
    assert secret["secret"].startswith(f"sk_{environment}_")
    for key in (public, rotated):
        assert key["secret"].startswith(f"pk_{environment}_")
        assert (key["public"], key["scopes"]) == (True, ["event:write"])
    listed = grapevine("key", "list", "--account", account)
    assert [key["public"] for key in listed] == [False, True, True]


def test_a_public_key_can_only_report_events(
    fresh_stack: Stack, command: Command, grapevine: Callable[..., Any], account: str
) -> None:
    key: Json = grapevine("key", "create", "--account", account, "--public")
    more = command("key", "create", "--account", account, "--public", "--scope", "program:read")

    assert _status(fresh_stack, key["secret"]) == 403
    assert (more.returncode, more.stdout) == (1, "")
    assert "event:write" in more.stderr


def test_a_revoked_key_is_refused_once_the_containers_forget_it(
    fresh_stack: Stack, command: Command, grapevine: Callable[..., Any], account: str
) -> None:
    key: Json = grapevine("key", "create", "--account", account)
    assert _status(fresh_stack, key["secret"]) == 200

    assert grapevine("key", "revoke", key["keyId"], "--account", account)["revoked"]

    fresh_stack.advance(KEY_CACHE_MS)
    assert _status(fresh_stack, key["secret"]) == 403
    assert _status(fresh_stack, key["secret"], "POST") == 403
    rotated = command("key", "rotate", key["keyId"], "--account", account)
    assert (rotated.returncode, rotated.stdout) == (1, "")


def test_a_rotated_key_stays_good_for_its_grace(
    fresh_stack: Stack, grapevine: Callable[..., Any], account: str
) -> None:
    old: Json = grapevine("key", "create", "--account", account, "--scope", "program:read")
    assert _status(fresh_stack, old["secret"]) == 200

    new: Json = grapevine("key", "rotate", old["keyId"], "--account", account, "--grace-hours", "1")

    assert new["scopes"] == old["scopes"]
    assert new["keyId"] != old["keyId"]
    leap(fresh_stack, fresh_stack.now_ms() + HOUR_MS - KEY_CACHE_MS)
    assert [_status(fresh_stack, key["secret"]) for key in (old, new)] == [200, 200]
    fresh_stack.advance(KEY_CACHE_MS)
    assert [_status(fresh_stack, key["secret"]) for key in (old, new)] == [403, 200]


def test_an_operator_says_whom_an_account_may_send_as(
    fresh_stack: Stack, command: Command, grapevine: Callable[..., Any], account: str
) -> None:
    where = ("--account", account)
    assert grapevine("account", "senders", *where) == {"accountId": account, "senders": []}

    for identity in ("Hooli.example", "me@shop.example", "hooli.example"):
        grapevine("account", "allow-sender", identity, *where)

    senders = grapevine("account", "senders", *where)["senders"]
    assert senders == ["hooli.example", "me@shop.example"]
    key: Json = grapevine("key", "create", *where)
    with Api(fresh_stack.url, key["secret"]) as own:
        own.ok(
            "PATCH",
            f"/v2/campaign/{own.campaign(live=False)}/emails",
            {"settings": {"sender": {"fromEmail": "a@eu.hooli.example"}}},
        )
    left = grapevine("account", "disallow-sender", "HOOLI.example", *where)["senders"]
    assert left == ["me@shop.example"]
    for words in (
        ("disallow-sender", "hooli.example", *where),
        ("allow-sender", "example", *where),
        ("allow-sender", "*.example.com", *where),
        ("allow-sender", "a b@example.com", *where),
        ("allow-sender", "example.com", "--account", "acct_nobody"),
    ):
        refused = command("account", *words)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr.startswith("grapevine: ")


def test_what_does_not_exist_is_refused_in_a_sentence(command: Command, account: str) -> None:
    for words in (
        ("key", "list", "--account", "acct_nobody"),
        ("key", "create", "--account", "acct_nobody"),
        ("key", "revoke", "key_none", "--account", account),
    ):
        refused = command(*words)

        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr.startswith("grapevine: ")
        assert "Traceback" not in refused.stderr
