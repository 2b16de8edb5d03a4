"""POST /track/impression: a page reports that a referred visitor looks at it."""

from grapevine.engine.tracking.links import report
from grapevine.http.endpoint import Nothing, Response
from grapevine.http.models.tracking import Tracked, TrackImpression
from grapevine.http.public import PublicRequest, public_endpoint, to_page


@public_endpoint(
    "POST /track/impression", body=TrackImpression, response=Tracked, refusals=(403, 404, 409)
)
def handler(request: PublicRequest[TrackImpression, Nothing]) -> Response:
    body = request.body
    visit = body.visit(request.visit)
    counted = report(body.campaign_id, body.key, request.origin, visit, body.action())
    return to_page(Tracked(counted=counted), request)
