"""GET /v2/campaign/{id}/installation: the referral trigger and the share URL."""

from grapevine.engine.program import Installation, installation_of
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint


@endpoint("GET /v2/campaign/{id}/installation", scope="program:read", response=Installation)
def handler(request: Request[Nothing, Nothing]) -> Installation:
    return installation_of(request.campaign).complete()
