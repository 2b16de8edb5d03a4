"""PATCH /v2/campaign/{id}/options: changes switches of the campaign's engine."""

from grapevine.engine import options
from grapevine.engine.program import Options
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint


@endpoint("PATCH /v2/campaign/{id}/options", scope="program:write", body=Options, response=Options)
def handler(request: Request[Options, Nothing]) -> Options:
    return options.update_options(request.campaign, request.body).complete()
