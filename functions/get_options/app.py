"""GET /v2/campaign/{id}/options: the switches of the campaign's engine."""

from grapevine.engine import options
from grapevine.engine.program import Options
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint


@endpoint("GET /v2/campaign/{id}/options", scope="program:read", response=Options)
def handler(request: Request[Nothing, Nothing]) -> Options:
    return options.full_options_of(request.campaign).complete()
