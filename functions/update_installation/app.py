"""PATCH /v2/campaign/{id}/installation: changes the referral trigger or the share URL."""

from grapevine.engine import options
from grapevine.engine.program import Installation
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint


@endpoint(
    "PATCH /v2/campaign/{id}/installation",
    scope="program:write",
    body=Installation,
    response=Installation,
)
def handler(request: Request[Installation, Nothing]) -> Installation:
    return options.update_installation(request.campaign, request.body).complete()
