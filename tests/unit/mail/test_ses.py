from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from grapevine import runtime
from grapevine.engine.mail import identities, ses
from grapevine.errors import Busy
from grapevine.runtime import Runtime, Settings

URL = "https://email.us-east-1.amazonaws.com"


class FakeSes:
    """Raises what it is told to, or accepts."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked: list[str] = []
        self.verified: dict[str, bool] = {}

    def send_email(self, **_: Any) -> dict[str, str]:
        if self.error:
            raise self.error
        return {"MessageId": "m1"}

    def get_email_identity(self, *, EmailIdentity: str) -> dict[str, bool]:  # noqa: N803 - SES's
        self.asked.append(EmailIdentity)
        if self.error:
            raise self.error
        if EmailIdentity not in self.verified:
            raise refusal("NotFoundException", 404)
        return {"VerifiedForSendingStatus": self.verified[EmailIdentity]}


def refusal(code: str, status: int) -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "SendEmail")


@pytest.fixture
def fake() -> Iterator[FakeSes]:
    made = FakeSes()
    settings = Settings({"MAIL_CONFIGURATION_SET": "set"})
    client: Callable[[str], Any] = lambda _: made  # noqa: E731 - a client for any service
    with runtime.using(Runtime(settings, now_ms=lambda: 10**12, client=client)):
        yield made


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (None, "accepted"),
        (refusal("MessageRejected", 400), "refused"),
        (refusal("BadRequestException", 400), "refused"),
        (refusal("TooManyRequestsException", 429), "later"),
        (refusal("ThrottlingException", 400), "later"),
        (refusal("LimitExceededException", 400), "later"),
        (refusal("AccountSuspendedException", 400), "later"),
        (refusal("SendingPausedException", 400), "later"),
        (refusal("MailFromDomainNotVerifiedException", 400), "later"),
        (refusal("NotFoundException", 404), "defect"),
        (refusal("AccessDeniedException", 403), "defect"),
        (refusal("InternalFailure", 500), "unknown"),
        (refusal("ServiceUnavailable", 503), "unknown"),
        (ConnectTimeoutError(endpoint_url=URL), "later"),
        (EndpointConnectionError(endpoint_url=URL), "later"),
        (ReadTimeoutError(endpoint_url=URL), "unknown"),
        (ConnectionClosedError(endpoint_url=URL), "unknown"),
    ],
    ids=str,
)
def test_only_what_ses_cannot_have_taken_is_sent_again(
    fake: FakeSes, error: Exception | None, kind: str
) -> None:
    fake.error = error

    outcome = ses.send("a@example.com", "b@example.com", b"", campaign_id="c", mail_id="m")

    assert outcome.kind == kind


def test_the_client_never_repeats_a_call_to_ses_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "us-east-1")

    made = [runtime._botocore_client.__wrapped__(name) for name in ("sesv2", "dynamodb")]

    retries = [client.meta.config.retries["total_max_attempts"] for client in made]
    assert retries == [1, 5]


@pytest.mark.parametrize(
    ("verified", "expected"),
    [
        ({}, False),
        ({"a@mail.example.com": True}, True),
        ({"a@mail.example.com": False, "mail.example.com": True}, True),
        ({"example.com": True}, True),
        ({"example.com": False}, False),
        ({"com": True}, False),
        ({"b@mail.example.com": True}, False),
    ],
)
def test_an_address_may_send_if_it_or_a_domain_of_it_is_verified(
    fake: FakeSes, verified: dict[str, bool], expected: bool
) -> None:
    fake.verified = verified

    assert identities.is_verified("a@mail.example.com") is expected


def test_a_verified_address_is_remembered_and_another_is_not(fake: FakeSes) -> None:
    fake.verified = {"a@example.com": True}

    answers = [identities.is_verified(one) for one in ("a@example.com", "b@x.org") * 2]

    assert answers == [True, False] * 2
    assert fake.asked == ["a@example.com", "b@x.org", "x.org", "b@x.org", "x.org"]


@pytest.mark.parametrize(
    "error", [refusal("TooManyRequestsException", 429), ReadTimeoutError(endpoint_url=URL)], ids=str
)
def test_when_ses_does_not_say_nothing_is_said(fake: FakeSes, error: Exception) -> None:
    fake.error = error

    with pytest.raises(Busy):
        identities.is_verified("a@example.com")
