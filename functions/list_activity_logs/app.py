"""GET /v2/campaign/{id}/participant/{participant}/activity-logs: a page of a participant's log."""

from grapevine.engine.activities import page
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.activities import ActivityLogList, ListActivityLogs


@endpoint(
    "GET /v2/campaign/{id}/participant/{participant}/activity-logs",
    scope="participant:read",
    query=ListActivityLogs,
    response=ActivityLogList,
)
def handler(request: Request[Nothing, ListActivityLogs]) -> ActivityLogList:
    query = request.query
    found = page(request.located.load(), query.limit, query.offset)
    return ActivityLogList.of(found, query.limit)
