"""POST /v2/campaign/{id}/clone: a new DRAFT with the same configuration."""

from grapevine.engine import campaigns
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.campaigns import Campaign


@endpoint("POST /v2/campaign/{id}/clone", scope="program:write", response=Campaign)
def handler(request: Request[Nothing, Nothing]) -> Campaign:
    return Campaign.of(campaigns.clone(request.campaign))
