"""OPTIONS /track/{action}: gives the pages of a campaign leave to report in JSON."""

from grapevine.engine.tracking.links import admit
from grapevine.http.endpoint import Nothing, Response
from grapevine.http.public import PublicRequest, preflight, public_endpoint


@public_endpoint("OPTIONS /track/{action}", status=204, refusals=(403, 404))
def handler(request: PublicRequest[Nothing]) -> Response:
    admit(request.query.get("campaignId", ""), request.origin)
    return preflight(request)
