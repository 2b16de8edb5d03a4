"""POST /v2/campaign/{id}/participant/{participant}/email: writes to one participant."""

from grapevine.engine.mail import asking
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.email_requests import EmailParticipant, EmailResult


@endpoint(
    "POST /v2/campaign/{id}/participant/{participant}/email",
    scope="participant:write",
    body=EmailParticipant,
    response=EmailResult,
    refusals=(429,),
)
def handler(request: Request[EmailParticipant, Nothing]) -> EmailResult:
    asking.ask(request.campaign, request.located, request.body.to_engine())
    return EmailResult(success=True, status="queued")
