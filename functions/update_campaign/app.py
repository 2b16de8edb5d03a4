"""PATCH /v2/campaign/{id}: renames, publishes, resumes or ends a campaign."""

from grapevine.engine import campaigns
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.campaigns import Campaign, UpdateCampaign


@endpoint("PATCH /v2/campaign/{id}", scope="program:write", body=UpdateCampaign, response=Campaign)
def handler(request: Request[UpdateCampaign, Nothing]) -> Campaign:
    return Campaign.of(campaigns.update(request.campaign, request.body.to_engine()))
