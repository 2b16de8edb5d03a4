"""What may come as a body, and what may not: a clear refusal, and nothing is written."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from local.stack import Stack
from tests.api import Api, unique_email
from tests.invariants import table_of
from tests.refusals import refusal, refused_fields

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Place:
    campaign_id: str
    participant: str

    def path(self, template: str) -> str:
        return template.format(id=self.campaign_id, participant=self.participant)


@pytest.fixture(scope="module")
def place(stack: Stack) -> Place:
    with Api(stack.url, stack.api_key) as api:
        campaign_id = api.campaign()
        return Place(campaign_id, api.add(campaign_id)["id"])


def send(
    api: Api, method: str, path: str, content: bytes, content_type: str | None = JSON
) -> httpx.Response:
    headers = {} if content_type is None else {"content-type": content_type}
    return api.http.request(method, path, content=content, headers=headers)


TAKING_A_BODY = [
    ("POST", "/v2/campaigns"),
    ("PATCH", "/v2/campaign/{id}"),
    ("PATCH", "/v2/campaign/{id}/installation"),
    ("PATCH", "/v2/campaign/{id}/options"),
    ("POST", "/v2/campaign/{id}/participant"),
    ("POST", "/v2/campaign/{id}/participants/bulk-delete"),
    ("POST", "/v2/campaign/{id}/participant/{participant}"),
    ("POST", "/v2/campaign/{id}/participant/{participant}/ref"),
]
BODY_OPTIONAL = [
    route
    for route in TAKING_A_BODY
    if route[0] == "PATCH" or route[1].endswith(("{participant}", "/ref"))
]
TAKING_NONE = [
    ("GET", "/v2/campaigns"),
    ("GET", "/v2/campaign/{id}"),
    ("GET", "/v2/campaign/{id}/options"),
    ("GET", "/v2/campaign/{id}/participants"),
    ("GET", "/v2/campaign/{id}/participant/{participant}"),
    ("DELETE", "/v2/campaign/{id}/participant/{participant}/ref"),
]
UNREADABLE = {
    "half an object": b'{"name":',
    "two objects": b"{}{}",
    "a list": b"[]",
    "a list of objects": b'[{"email":"a@example.com"}]',
    "text": b'"email"',
    "a number": b"1",
    "null": b"null",
    "NaN": b'{"name":NaN}',
    "Infinity": b'{"name":Infinity}',
    "minus Infinity": b'{"name":-Infinity}',
    "a key twice": b'{"name":"a","name":"b"}',
    "a key twice, escaped": b'{"name":"a","n\\u0061me":"b"}',
    "a key twice, inside": b'{"metadata":{"a":1,"a":2}}',
    "a comma too much": b'{"name":"a",}',
    "a comment": b'{/* hello */"name":"a"}',
    "single quotes": b"{'name':'a'}",
    "a raw control character": b'{"name":"a\x01b"}',
    "a raw line break": b'{"name":"a\nb"}',
    "not UTF-8": b'{"name":"\xff"}',
    "UTF-16": '{"name":"a"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "an encoded surrogate": b'{"name":"\xed\xa0\x80"}',
    "half of a character": b'{"name":"\\ud800"}',
    "the other half": b'{"name":"a\\udfffb"}',
    "half of a character in a key": b'{"metadata":{"\\ud800":1}}',
    "the halves in the wrong order": b'{"name":"\\ude00\\ud83d"}',
    "ten thousand digits": b'{"name":' + b"9" * 10_000 + b"}",
    "deep lists": b"[" * 50_000,
    "deep objects": b'{"a":' * 50_000,
    "deep inside": b'{"metadata":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "zeros": b"\x00" * 100,
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE.keys())
@pytest.mark.parametrize(("method", "path"), TAKING_A_BODY)
def test_a_body_that_is_not_one_json_object_is_refused(
    api: Api, place: Place, method: str, path: str, content: bytes
) -> None:
    response = send(api, method, place.path(path), content)

    body = refusal(response, 400)
    assert body["errors"][0]["location"] == "body"
    assert response.headers["x-local-write-units"] == "0"


def test_all_the_refused_bodies_have_left_the_table_as_it_was(
    stack: Stack, api: Api, place: Place
) -> None:
    before = table_of(stack)

    for method, path in TAKING_A_BODY:
        for content in UNREADABLE.values():
            assert send(api, method, place.path(path), content).status_code == 400

    assert table_of(stack) == before


@pytest.mark.parametrize("content_type", [JSON, FORM, "text/plain", None])
@pytest.mark.parametrize(("method", "path"), BODY_OPTIONAL)
def test_an_empty_body_is_an_empty_object(
    api: Api, place: Place, method: str, path: str, content_type: str | None
) -> None:
    assert send(api, method, place.path(path), b"", content_type).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("POST", "/v2/campaigns", "type"),
        ("POST", "/v2/campaign/{id}/participant", "email"),
        ("POST", "/v2/campaign/{id}/participants/bulk-delete", "participants"),
    ],
)
def test_an_empty_body_lacks_what_is_required(
    api: Api, place: Place, method: str, path: str, field: str
) -> None:
    assert refused_fields(send(api, method, place.path(path), b"")) == [field]


@pytest.mark.parametrize("content", [b"", b"{}", b"{{{", b"\xff", b'{"a":NaN}'])
@pytest.mark.parametrize(("method", "path"), TAKING_NONE)
def test_where_no_body_is_taken_whatever_comes_is_ignored(
    api: Api, place: Place, method: str, path: str, content: bytes
) -> None:
    assert send(api, method, place.path(path), content).status_code == 200


def test_a_deletion_works_as_the_sdk_sends_it(api: Api, place: Place) -> None:
    added = api.add(place.campaign_id)["id"]

    response = send(api, "DELETE", f"/v2/campaign/{place.campaign_id}/participant/{added}", b"")

    assert response.json() == {"success": True}


# Types


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "multipart/form-data; boundary=x", "image/png", "nonsense"],
)
@pytest.mark.parametrize(("method", "path"), TAKING_A_BODY)
def test_another_type_of_body_is_unsupported(
    api: Api, place: Place, method: str, path: str, content_type: str
) -> None:
    response = send(api, method, place.path(path), b'{"name":"a"}', content_type)

    refusal(response, 415)
    assert response.headers["x-local-write-units"] == "0"


@pytest.mark.parametrize(
    "content_type", [JSON, "application/json; charset=utf-8", "APPLICATION/JSON", None]
)
def test_json_is_taken_under_its_usual_names(
    api: Api, place: Place, content_type: str | None
) -> None:
    email = unique_email()

    response = send(
        api,
        "POST",
        place.path("/v2/campaign/{id}/participant"),
        json.dumps({"email": email}).encode(),
        content_type,
    )

    assert response.json()["email"] == email


# Size


@pytest.mark.parametrize(("method", "path"), TAKING_A_BODY)
def test_a_body_of_a_megabyte_is_too_large(api: Api, place: Place, method: str, path: str) -> None:
    content = b'{"name":"' + b"x" * 1_000_000 + b'"}'

    for content_type in (JSON, FORM):
        response = send(api, method, place.path(path), content, content_type)
        refusal(response, 413)
        assert response.headers["x-local-write-units"] == "0"


def test_a_body_just_below_the_limit_is_read(api: Api, place: Place) -> None:
    padding = " " * (256 * 1024 - 100)
    content = f'{{"email":"{unique_email()}"{padding}}}'.encode()

    response = send(api, "POST", place.path("/v2/campaign/{id}/participant"), content)

    assert response.status_code == 200


# Forms


def test_a_participant_can_be_added_by_a_form(api: Api, place: Place) -> None:
    email = unique_email("a+b")
    form = urlencode(
        {
            "email": email,
            "firstName": "Mary Ann",
            "metadata[plan]": "pro",
            "metadata[seats]": "5",
            "referredBy": place.participant,
        }
    )

    response = send(api, "POST", place.path("/v2/campaign/{id}/participant"), form.encode(), FORM)

    added = response.json()
    assert added["email"] == email
    assert added["firstName"] == "Mary Ann"
    assert added["metadata"] == {"plan": "pro", "seats": "5"}
    assert added["referredBy"] == place.participant


def test_a_participant_can_be_updated_by_a_form(api: Api, place: Place) -> None:
    added = api.add(place.campaign_id)["id"]
    form = urlencode(
        [("unsubscribed", "true"), ("vanityKeys[]", f"a-{added}"), ("vanityKeys[]", f"b-{added}")]
    )

    response = send(
        api, "POST", f"/v2/campaign/{place.campaign_id}/participant/{added}", form.encode(), FORM
    )

    updated = response.json()
    assert updated["unsubscribed"] is True
    assert updated["vanityKeys"] == [f"a-{added}", f"b-{added}"]


def test_a_credit_can_be_delayed_by_a_form(api: Api, place: Place) -> None:
    friend = api.add(place.campaign_id, referredBy=place.participant)["id"]
    path = f"/v2/campaign/{place.campaign_id}/participant/{friend}/ref"

    delayed = send(api, "POST", path, b"delayInDays=5", FORM)

    assert delayed.json()["success"] is True
    assert api.cancel_trigger(place.campaign_id, friend)["success"] is True


@pytest.mark.parametrize(
    "form",
    [
        b"email=a%40example.com&email=b%40example.com",
        b"metadata[a]=1&metadata=2",
        b"metadata[a][b]=1",
        b"email=%ff%40example.com",
        b"email=%00%40example.com",
        b"=",
        b"&".join(b"f%d=1" % number for number in range(2000)),
        b'{"email":"a@example.com"}',
        b"\xff=\xfe",
    ],
)
def test_a_form_that_makes_no_sense_is_refused(api: Api, place: Place, form: bytes) -> None:
    response = send(api, "POST", place.path("/v2/campaign/{id}/participant"), form, FORM)

    refusal(response, 400)
    assert response.headers["x-local-write-units"] == "0"


# Base64


def event(place: Place, stack: Stack, body: str, *, encoded: bool) -> dict[str, Any]:
    return {
        "version": "2.0",
        "headers": {"authorization": f"Bearer {stack.api_key}", "content-type": JSON},
        "pathParameters": {"id": place.campaign_id},
        "body": body,
        "isBase64Encoded": encoded,
    }


def test_a_base64_body_is_decoded(stack: Stack, place: Place) -> None:
    sent = json.dumps({"email": unique_email(), "firstName": "Zoë"}).encode()

    answer = stack.invoke(
        "AddParticipantFunction",
        event(place, stack, base64.b64encode(sent).decode(), encoded=True),
    )

    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["firstName"] == "Zoë"


@pytest.mark.parametrize("body", ["%%%", "e30", "é", "e30=\n!"])
def test_a_broken_base64_body_is_refused(stack: Stack, place: Place, body: str) -> None:
    answer = stack.invoke("AddParticipantFunction", event(place, stack, body, encoded=True))

    assert answer["statusCode"] == 400


def test_headers_are_read_whatever_their_case_on_the_wire(api: Api, place: Place) -> None:
    response = api.http.request(
        "POST",
        place.path("/v2/campaign/{id}/participant"),
        content=b"email=" + unique_email().encode(),
        headers={"CONTENT-TYPE": FORM},
    )

    assert response.status_code == 200


# Values inside a readable body


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        ("\u0000", False),
        ("\u0007", False),
        ("a\nb", False),
        ("\u2028", True),
        ("\u202e", True),
        ("\ufeff", True),
        ("e\u0301", True),
        ("😀", True),
        ("\uffff", True),
        ("<script>alert(1)</script>", True),
        ("'; DROP TABLE participants; --", True),
        ("{{constructor}}", True),
    ],
)
def test_names_hold_any_text_but_control_characters(
    api: Api, place: Place, value: str, accepted: bool
) -> None:
    content = json.dumps({"email": unique_email(), "firstName": value}).encode()

    response = send(api, "POST", place.path("/v2/campaign/{id}/participant"), content)

    if accepted:
        assert response.json()["firstName"] == value
    else:
        assert refused_fields(response) == ["firstName"]
        assert response.headers["x-local-write-units"] == "0"


@pytest.mark.parametrize(
    "metadata",
    [
        b'{"a":1e400}',
        b'{"a":-1e400}',
        b'{"a":9007199254740993}',
        b'{"a":' + b"9" * 400 + b"}",
        b'{"a":{"b":{"c":1}}}',
        b'{"a":[[[]]]}',
        b'{"a\\u0000":1}',
    ],
)
def test_metadata_that_cannot_be_kept_unharmed_is_refused(
    api: Api, place: Place, metadata: bytes
) -> None:
    content = b'{"email":"%s","metadata":%s}' % (unique_email().encode(), metadata)

    response = send(api, "POST", place.path("/v2/campaign/{id}/participant"), content)

    assert refused_fields(response) == ["metadata"]
    assert response.headers["x-local-write-units"] == "0"


@pytest.mark.parametrize(
    ("number", "kept"),
    [(b"1e2", 100), (b"-0.0", 0), (b"1.0", 1), (b"5e-324", 5e-324), (b"0.1", 0.1)],
)
def test_metadata_numbers_come_back_with_the_same_value(
    api: Api, place: Place, number: bytes, kept: float
) -> None:
    content = b'{"email":"%s","metadata":{"a":%s}}' % (unique_email().encode(), number)

    added = send(api, "POST", place.path("/v2/campaign/{id}/participant"), content).json()

    assert added["metadata"]["a"] == kept
    assert api.read(place.campaign_id, added["id"])["metadata"]["a"] == kept


def test_a_refusal_does_not_repeat_endless_input(api: Api, place: Place) -> None:
    content = json.dumps({"email": unique_email(), "firstName": "x" * 200_000}).encode()

    response = send(api, "POST", place.path("/v2/campaign/{id}/participant"), content)

    assert refused_fields(response) == ["firstName"]
    assert len(response.content) < 2_000


def test_many_wrong_fields_do_not_make_an_endless_refusal(api: Api, place: Place) -> None:
    content = json.dumps({f"field{number}": 1 for number in range(5_000)}).encode()

    response = send(api, "POST", place.path("/v2/campaign/{id}/participant"), content)

    refusal(response, 400)
    assert len(response.content) < 100_000


# Bulk deletion


@pytest.mark.parametrize(
    ("participants", "wrong"),
    [
        ([], "participants"),
        (["x"] * 201, "participants"),
        ("text", "participants"),
        ([1], "participants.0"),
        (["ok", None], "participants.1"),
        ([["x"]], "participants.0"),
        (["x" * 255], "participants.0"),
    ],
)
def test_a_wrong_list_for_bulk_deletion_is_refused(
    api: Api, place: Place, participants: object, wrong: str
) -> None:
    response = api.call(
        "POST",
        place.path("/v2/campaign/{id}/participants/bulk-delete"),
        {"participants": participants},
    )

    assert refused_fields(response) == [wrong]


def test_bulk_deletion_takes_two_hundred_strange_names(api: Api, place: Place) -> None:
    strange = ["", " ", "#", "a/b", "\x00", "é", "@", "a@b", "%2F", "..", "😀", "CAMPAIGN#x"]
    names = [*strange, *(f"nobody{number}" for number in range(200 - len(strange)))]

    answer = api.ok(
        "POST",
        place.path("/v2/campaign/{id}/participants/bulk-delete"),
        {"participants": names},
    )

    assert {row["status"] for row in answer["results"]} == {"NOT_FOUND"}
    assert [row["identifier"] for row in answer["results"]] == names
    assert answer["summary"]["notFoundCount"] == 200
