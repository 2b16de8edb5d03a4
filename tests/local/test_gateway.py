from __future__ import annotations

import json
import socket

import pytest

from local.apigateway import Router
from local.declarations import Route
from tests.local.conftest import Http


def test_a_path_is_decoded_once(http_: Http) -> None:
    _, answer = http_("GET", "/echo/a+b%20c%252Fd%00@x.co")

    event = answer["event"]
    assert event["rawPath"] == "/echo/a+b c%2Fd\x00@x.co"
    assert event["pathParameters"] == {"id": "a+b c%2Fd\x00@x.co"}


def test_a_path_is_decoded_before_a_route_is_looked_for(http_: Http) -> None:
    assert http_("GET", "/rest%2Fa%2Fb")[1]["event"]["pathParameters"] == {"rest": "a/b"}
    two = http_("GET", "/echo/a%2Fb")[1]["event"]["pathParameters"]
    assert two == {"id": "a", "part": "b"}
    assert http_("GET", "/%65cho%2Fb")[1]["event"]["pathParameters"] == {"id": "b"}
    cut = http_("GET", "/echo/a%3Fb=1?c=2")[1]["event"]
    assert (cut["pathParameters"], cut["queryStringParameters"]) == ({"id": "a"}, {"c": "2"})


def test_a_bad_escape_in_the_path_stays_as_it_is(http_: Http) -> None:
    _, answer = http_("GET", "/echo/100%25%zz%")

    assert answer["event"]["pathParameters"] == {"id": "100%%zz%"}


def test_two_slashes_at_the_beginning_are_not_tidied_up(http_: Http) -> None:
    _, answer = http_("GET", "//echo/x")

    assert answer == {"unknown": "//echo/x", "method": "GET"}


def test_the_fixed_segment_wins_over_the_parameter(http_: Http) -> None:
    _, answer = http_("GET", "/echo/fixed")

    assert answer["event"]["routeKey"] == "GET /echo/fixed"


def test_a_greedy_parameter_takes_the_rest_of_the_path(http_: Http) -> None:
    _, answer = http_("GET", "/rest/a/b%20c")

    assert answer["event"]["pathParameters"] == {"rest": "a/b c"}


def test_the_named_method_wins_over_any() -> None:
    router = Router([Route("ANY", "/x/{id}", "any"), Route("GET", "/x/{id}", "get")])

    matched = [router.match(method, "/x/1") for method in ("GET", "PUT")]

    assert [found[0].function_id for found in matched if found] == ["get", "any"]


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "DELETE", "BREW"])
def test_a_method_without_a_route_goes_to_the_default_route(http_: Http, method: str) -> None:
    status, headers, body = http_.full(method, "/rest/a")

    assert status == 200
    if method == "HEAD":
        assert (body, dict(headers)["Content-Length"]) == (b"", "40")
    else:
        assert json.loads(body) == {"unknown": "/rest/a", "method": method}


def test_a_trailing_slash_is_another_path(http_: Http) -> None:
    assert http_("GET", "/echo/")[1] == {"unknown": "/echo/", "method": "GET"}


def test_repeated_headers_and_query_keys_are_joined_and_cookies_stand_apart(http_: Http) -> None:
    headers = [("X-Tag", "a"), ("x-tag", "b"), ("Cookie", "c=1; d=2")]

    _, answer = http_("GET", "/echo/1?q=1&q=a%20b&r=x+y&empty=", headers=headers)

    event = answer["event"]
    assert event["headers"]["x-tag"] == "a,b"
    assert "cookie" not in event["headers"]
    assert event["cookies"] == ["c=1", "d=2"]
    assert event["queryStringParameters"] == {"q": "1,a b", "r": "x y", "empty": ""}
    assert event["rawQueryString"] == "q=1&q=a%20b&r=x+y&empty="


def test_a_request_without_body_has_none_in_its_event(http_: Http) -> None:
    _, answer = http_("POST", "/echo/1")

    assert "body" not in answer["event"]
    assert answer["event"]["isBase64Encoded"] is False


@pytest.mark.parametrize(
    ("content_type", "body", "encoded"),
    [
        ("application/json", '{"name":"Zoë"}'.encode(), None),
        ("application/problem+json; charset=utf-8", b"{}", None),
        ("application/json", b"\xff\xfe", "//4="),
        ("application/x-www-form-urlencoded", b"a=1", "YT0x"),
        ("application/octet-stream", b"abc", "YWJj"),
    ],
)
def test_only_text_arrives_as_text(
    http_: Http, content_type: str, body: bytes, encoded: str | None
) -> None:
    _, answer = http_("POST", "/echo/1", body, [("Content-Type", content_type)])

    event = answer["event"]
    assert event["isBase64Encoded"] is (encoded is not None)
    assert event["body"] == (encoded or body.decode())


def test_a_body_over_ten_megabytes_is_refused(http_: Http) -> None:
    status, answer = http_("POST", "/echo/1", b"x" * (10 * 1024 * 1024 + 1))

    assert (status, answer) == (413, {"message": "Request Entity Too Large"})


def test_a_body_of_one_megabyte_arrives(http_: Http) -> None:
    status, answer = http_("POST", "/echo/1", "x" * 1_000_000, [("Content-Type", "text/plain")])

    assert (status, len(answer["event"]["body"])) == (200, 1_000_000)


def test_cookies_of_the_answer_become_headers(http_: Http) -> None:
    _, headers, _ = http_.full("GET", "/echo/1")

    assert [value for name, value in headers if name == "Set-Cookie"] == ["a=1", "b=2"]


def test_a_handler_that_raises_is_an_internal_error(http_: Http) -> None:
    assert http_("GET", "/echo/1?raise=1") == (500, {"message": "Internal Server Error"})


def test_a_function_that_just_returns_its_body_answers_200_json(http_: Http) -> None:
    status, headers, _ = http_.full("GET", "/nowhere")

    assert (status, dict(headers)["Content-Type"]) == (200, "application/json")


def _raw(http_: Http, *pieces: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", http_.port), timeout=10) as connection:
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_a_chunked_body_is_put_together(http_: Http) -> None:
    head = b"POST /echo/1 HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"

    answer = _raw(
        http_,
        head,
        b"Transfer-Encoding: chunked\r\n\r\n",
        b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n",
    )

    assert b'"body": "abcdefg"' in answer.replace(b'\\"', b'"')


def test_two_requests_can_share_a_connection(http_: Http) -> None:
    request = b"GET /echo/%d HTTP/1.1\r\nHost: x\r\n\r\n"

    answer = _raw(http_, request % 1, request % 2)

    assert answer.count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: three\r\n",
        b"Content-Length: 3\r\nContent-Length: 4\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Content-Length: 99\r\n",
    ],
)
def test_a_body_whose_end_is_unclear_is_a_bad_request(http_: Http, head: bytes) -> None:
    answer = _raw(http_, b"POST /echo/1 HTTP/1.1\r\nHost: x\r\n" + head + b"\r\nabc")

    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("chunks", [b"zz\r\nabc\r\n0\r\n\r\n", b"5\r\nabc\r\n0\r\n\r\n", b""])
def test_broken_chunks_are_a_bad_request(http_: Http, chunks: bytes) -> None:
    head = b"POST /echo/1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

    assert _raw(http_, head + chunks).startswith(b"HTTP/1.1 400 ")


def test_a_line_that_is_not_http_is_a_bad_request(http_: Http) -> None:
    assert b" 400 " in _raw(http_, b"hello there, friend of mine\r\n\r\n")
