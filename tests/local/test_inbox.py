from __future__ import annotations

import json
import time

import pytest

from local.stack import Stack
from tests.local.conftest import Http


def test_an_inbox_lists_what_came_exactly_as_it_came(http_: Http, sample: Stack) -> None:
    before = sample.now_ms()
    http_("POST", "/_local/inbox/shop/hook?x=1", '{"a": 1}', [("X-Sig", "s"), ("x-sig", "t")])
    http_("PUT", "/_local/inbox/shop", b"\xff\x00")

    _, [first, second] = http_("GET", "/_local/inbox/shop")

    assert (first["method"], first["path"], first["query"]) == (
        "POST",
        "/_local/inbox/shop/hook",
        "x=1",
    )
    assert (first["body"], first["isBase64Encoded"]) == ('{"a": 1}', False)
    assert first["headers"]["x-sig"] == "s,t"
    assert before <= first["receivedAt"] <= sample.now_ms()
    assert (second["body"], second["isBase64Encoded"]) == ("/wA=", True)


def test_scripted_answers_are_given_in_order_and_then_the_usual_one(http_: Http) -> None:
    script = {"status": 500, "times": 2, "headers": {"Retry-After": "7"}, "body": "no"}
    http_("POST", "/_local/inbox/shop/respond", json.dumps(script))

    answers = [http_.full("POST", "/_local/inbox/shop", "x") for _ in range(3)]

    assert [status for status, _, _ in answers] == [500, 500, 200]
    assert (dict(answers[0][1])["Retry-After"], answers[0][2]) == ("7", b"no")


def test_a_scripted_delay_holds_the_answer_back(http_: Http) -> None:
    http_("POST", "/_local/inbox/shop/respond", '{"delayMs": 200}')
    started = time.monotonic()

    http_("POST", "/_local/inbox/shop", "x")

    assert time.monotonic() - started >= 0.2


def test_an_emptied_inbox_forgets_what_came_and_what_was_scripted(http_: Http) -> None:
    http_("POST", "/_local/inbox/shop", "x")
    http_("POST", "/_local/inbox/shop/respond", '{"status": 500}')

    emptied, _, _ = http_.full("DELETE", "/_local/inbox/shop")

    assert emptied == 204
    assert http_("GET", "/_local/inbox/shop") == (200, [])
    assert http_("POST", "/_local/inbox/shop", "x")[0] == 200


def test_inboxes_do_not_share_anything(http_: Http) -> None:
    http_("POST", "/_local/inbox/one", "x")

    assert http_("GET", "/_local/inbox/two") == (200, [])


@pytest.mark.parametrize(
    "script", ['{"status": 99}', '{"times": 0}', '{"delay": 1}', '{"body": 1}', "[]", "x"]
)
def test_a_script_that_makes_no_sense_is_refused(http_: Http, script: str) -> None:
    assert http_("POST", "/_local/inbox/shop/respond", script)[0] == 400


def test_what_the_stack_does_not_have_is_not_found(http_: Http) -> None:
    assert http_("GET", "/_local/nothing")[0] == 404
    assert http_("GET", "/_local/drain")[0] == 405
