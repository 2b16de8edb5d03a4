"""GET /v1/campaigns/codes/batches: the batches of codes that a campaign has."""

from grapevine.engine.access import campaign_called
from grapevine.engine.mechanics.code_stats import batch_page
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.gamifyhost import gamifyhost
from grapevine.http.models.codes import BatchesQuery, CodeBatches


@gamifyhost.endpoint(
    "GET /v1/campaigns/codes/batches",
    scope="gamification:read",
    query=BatchesQuery,
    response=CodeBatches,
    refusals=(404,),
)
def handler(request: Request[Nothing, BatchesQuery]) -> CodeBatches:
    query = request.query
    campaign = campaign_called(request.caller, query.slug)
    return CodeBatches.of(batch_page(campaign, query.page, query.limit), query)
