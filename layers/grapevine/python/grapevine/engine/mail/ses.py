"""One call to SES that sends an e-mail, and what its answer means.

SES has no idempotency: a call is never repeated unless SES has said that it did not take the
message, or never got the call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
)

from grapevine import runtime

_FINAL = frozenset({"BadRequestException", "MessageRejected"})
_LATER = frozenset(
    {
        "AccountSuspendedException",
        "LimitExceededException",
        "MailFromDomainNotVerifiedException",
        "SendingPausedException",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """`accepted`: SES has it, under `message_id`. `later`: it has not, and may take it later.
    `refused`: it never will. `defect`: it has not, because of us or of how SES is set up.
    `unknown`: it may have it. `reason` is SES's code."""

    kind: Literal["accepted", "later", "refused", "defect", "unknown"]
    reason: str | None = None
    message_id: str | None = None


def send(sender: str, recipient: str, message: bytes, *, campaign_id: str, mail_id: str) -> Outcome:
    """Hands the message over, tagged so that SES's events can be told to belong to the mail."""
    try:
        answer = runtime.ses().send_email(
            FromEmailAddress=sender,
            Destination={"ToAddresses": [recipient]},
            Content={"Raw": {"Data": message}},
            ConfigurationSetName=runtime.settings().mail_configuration_set,
            EmailTags=[
                {"Name": "campaign", "Value": campaign_id},
                {"Name": "mail", "Value": mail_id},
            ],
        )
    except ClientError as error:
        return _refusal(error)
    except (ConnectTimeoutError, EndpointConnectionError) as error:
        return Outcome("later", type(error).__name__)
    except HTTPClientError as error:
        return Outcome("unknown", type(error).__name__)
    return Outcome("accepted", message_id=answer["MessageId"])


def _refusal(error: ClientError) -> Outcome:
    code = error.response["Error"]["Code"]
    if code in _FINAL:
        return Outcome("refused", code)
    if code in _LATER:
        return Outcome("later", code)
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return Outcome("unknown" if status >= _SERVER_ERROR else "defect", code)
