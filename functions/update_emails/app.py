"""PATCH /v2/campaign/{id}/emails: changes the e-mail settings and templates."""

from grapevine.engine.mail import configuration
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.emails import CampaignEmails, UpdateEmails


@endpoint(
    "PATCH /v2/campaign/{id}/emails",
    scope="program:write",
    body=UpdateEmails,
    response=CampaignEmails,
)
def handler(request: Request[UpdateEmails, Nothing]) -> CampaignEmails:
    return CampaignEmails.of(configuration.update(request.campaign, request.body.to_engine()))
