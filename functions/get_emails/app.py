"""GET /v2/campaign/{id}/emails: the e-mail settings and the templates of the program e-mails."""

from grapevine.engine.mail.configuration import emails_of
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.emails import CampaignEmails


@endpoint("GET /v2/campaign/{id}/emails", scope="program:read", response=CampaignEmails)
def handler(request: Request[Nothing, Nothing]) -> CampaignEmails:
    return CampaignEmails.of(emails_of(request.campaign))
