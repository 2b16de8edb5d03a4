"""The two calls of SES v2 that handlers make, in front of the stack's mail service."""

from __future__ import annotations

import base64
import functools
import json
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.exceptions import ReadTimeoutError

from local import aws
from local.mail_service import AnswerLost, Failed, MailService

_IDENTITIES = "/v2/email/identities/"
_OUTBOUND = "/v2/email/outbound-emails"


def client(service: MailService) -> Any:
    """A client whose e-mails end in this service. It sends nothing twice of its own accord, as the
    one of a deployed function; other operations are refused."""
    made = aws.client("sesv2", total_attempts=1)
    made.meta.events.register("before-send.sesv2", functools.partial(_answer, service))
    return made


def _answer(service: MailService, request: AWSRequest, **_: Any) -> AWSResponse:
    path = urlsplit(request.url or "").path
    try:
        if request.method == "POST" and path == _OUTBOUND:
            return aws.answered(request, 200, {"MessageId": _send(service, request)})
        if request.method == "GET" and path.startswith(_IDENTITIES):
            return _identity(service, request, unquote(path.removeprefix(_IDENTITIES)))
    except Failed as failed:
        body = {"__type": failed.code, "code": failed.code, "message": failed.message}
        return aws.answered(request, failed.status, body)
    except AnswerLost:
        raise ReadTimeoutError(endpoint_url=request.url or "") from None
    return aws.answered(request, 400, {"code": "BadRequestException", "message": "not emulated"})


def _send(service: MailService, request: AWSRequest) -> str:
    sent = json.loads(request.body)
    return service.accept(
        sender=sent["FromEmailAddress"],
        recipients=tuple(sent["Destination"]["ToAddresses"]),
        configuration_set=sent.get("ConfigurationSetName"),
        tags={tag["Name"]: tag["Value"] for tag in sent.get("EmailTags", ())},
        source=base64.b64decode(sent["Content"]["Raw"]["Data"]),
    )


def _identity(service: MailService, request: AWSRequest, identity: str) -> AWSResponse:
    if not service.is_verified(identity):
        body = {"code": "NotFoundException", "message": "There is no such identity."}
        return aws.answered(request, 404, body)
    kind = "EMAIL_ADDRESS" if "@" in identity else "DOMAIN"
    return aws.answered(request, 200, {"IdentityType": kind, "VerifiedForSendingStatus": True})
