"""GET /v2/campaign/{id}: one campaign with its counts."""

from grapevine.engine import campaigns
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.campaigns import Campaign


@endpoint("GET /v2/campaign/{id}", scope="program:read", response=Campaign)
def handler(request: Request[Nothing, Nothing]) -> Campaign:
    return Campaign.of(campaigns.view(request.campaign))
