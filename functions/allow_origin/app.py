"""OPTIONS /track/{action}: gives the pages of a campaign leave to report in JSON."""

from grapevine.engine.tracking.links import admit
from grapevine.http.endpoint import Nothing, Response
from grapevine.http.models.tracking import AskLeave
from grapevine.http.public import PublicRequest, preflight, public_endpoint


@public_endpoint("OPTIONS /track/{action}", query=AskLeave, status=204, refusals=(403, 404))
def handler(request: PublicRequest[Nothing, AskLeave]) -> Response:
    admit(request.query.campaign_id, request.origin)
    return preflight(request)
