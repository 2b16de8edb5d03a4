"""POST /track/share: a page reports that a participant's link is shared."""

from grapevine.engine.tracking.links import report
from grapevine.http.endpoint import Nothing, Response
from grapevine.http.models.tracking import Tracked, TrackShare
from grapevine.http.public import PublicRequest, public_endpoint, to_page


@public_endpoint("POST /track/share", body=TrackShare, response=Tracked, refusals=(403, 404, 409))
def handler(request: PublicRequest[TrackShare, Nothing]) -> Response:
    body = request.body
    visit = body.visit(request.visit)
    counted = report(body.campaign_id, body.key, request.origin, visit, body.action())
    return to_page(Tracked(counted=counted), request)
