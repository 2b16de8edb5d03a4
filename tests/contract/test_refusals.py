"""How the SDK reports what the API refuses: the class of the error and the fields of its body."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from growsurf import (
    APIStatusError,
    BadRequestError,
    Growsurf,
    NotFoundError,
    PermissionDeniedError,
    UnprocessableEntityError,
)

from local.stack import Stack

Call = Callable[[Growsurf, str], object]


def fields(error: APIStatusError) -> dict[str, Any]:
    assert isinstance(error.body, dict)
    body: dict[str, Any] = error.body
    assert body["status"] == error.status_code
    assert body["level"] == "error"
    assert body["supportUrl"].startswith("https://")
    assert body["message"]
    return body


INVALID: dict[str, Call] = {
    "a bad email": lambda c, id_: c.campaign.participant.add(id_, email="nobody"),
    "an unknown participant by id": lambda c, id_: c.campaign.participant.retrieve(
        "zzzzzz", id=id_
    ),
    "an unknown participant by email": lambda c, id_: c.campaign.participant.retrieve(
        "nobody@example.com", id=id_
    ),
    "an update of an unknown participant": lambda c, id_: c.campaign.participant.update(
        "zzzzzz", id=id_, first_name="X"
    ),
    "a trigger of an unknown participant": lambda c, id_: c.campaign.participant.trigger_referral(
        "zzzzzz", id=id_
    ),
    "a delay that is too long": lambda c, id_: c.campaign.participant.trigger_referral(
        "zzzzzz", id=id_, delay_in_days=91
    ),
    "a cancelled trigger of an unknown participant": lambda c, id_: (
        c.campaign.participant.cancel_delayed_referral("zzzzzz", id=id_)
    ),
    "a deletion of an unknown participant": lambda c, id_: c.campaign.participant.delete(
        "zzzzzz", id=id_
    ),
    "a limit over 100": lambda c, id_: c.campaign.list_participants(id_, limit=101),
    "a bulk deletion of nobody": lambda c, id_: c.campaign.participant.bulk_delete(
        id_, participants=[]
    ),
    "an unknown option": lambda c, id_: c.campaign.options.update(id_, body={"colour": "red"}),
    "a share URL that is none": lambda c, id_: c.campaign.installation.update(
        id_, body={"shareUrl": "example"}
    ),
}


@pytest.mark.parametrize("call", INVALID.values(), ids=INVALID.keys())
def test_what_is_invalid_is_a_bad_request(client: Growsurf, campaign_id: str, call: Call) -> None:
    with pytest.raises(BadRequestError) as refused:
        call(client, campaign_id)

    body = fields(refused.value)
    assert (body["name"], body["code"]) == ("BadRequestError", "BAD_REQUEST_ERROR")


def test_a_bad_request_says_which_parameter_is_wrong(client: Growsurf, campaign_id: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        client.campaign.list_participants(campaign_id, limit=200)

    body = fields(refused.value)
    assert body["message"] == "Invalid request. Request params are missing or are invalid"
    [detail] = body["errors"]
    assert detail["location"] == "query"
    assert detail["param"] == detail["field"] == "limit"
    assert detail["value"] == "200"
    assert detail["msg"] == detail["message"] == "Limit cannot be more than 100."


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.campaign.retrieve("zzzzzz"),
        lambda c: c.campaign.update("zzzzzz", name="X"),
        lambda c: c.campaign.clone("zzzzzz"),
        lambda c: c.campaign.options.retrieve("zzzzzz"),
        lambda c: c.campaign.installation.update("zzzzzz", body={}),
        lambda c: c.campaign.list_participants("zzzzzz"),
        lambda c: c.campaign.participant.retrieve("someone@example.com", id="zzzzzz"),
        lambda c: c.campaign.participant.add("zzzzzz", email="a@example.com"),
    ],
)
def test_an_unknown_campaign_is_not_found(
    client: Growsurf, call: Callable[[Growsurf], object]
) -> None:
    with pytest.raises(NotFoundError) as refused:
        call(client)

    body = fields(refused.value)
    assert (body["name"], body["code"]) == ("NotFoundError", "NOT_FOUND_ERROR")


def test_a_wrong_key_is_denied(stack: Stack, campaign_id: str) -> None:
    stranger = Growsurf(
        base_url=stack.url + "/v2", api_key="wrong", _strict_response_validation=True
    )

    with stranger, pytest.raises(PermissionDeniedError) as refused:
        stranger.campaign.retrieve(campaign_id)

    assert fields(refused.value)["code"] == "NOT_AUTHORIZED_ERROR"


def test_an_affiliate_program_cannot_be_processed(client: Growsurf) -> None:
    with pytest.raises(UnprocessableEntityError) as refused:
        client.campaign.create(type="AFFILIATE")

    assert fields(refused.value)["code"] == "UNPROCESSABLE_ENTITY_ERROR"
