"""POST /api/v3.0/integrations/event: as POST /integrations/event."""

from grapevine.engine.mechanics.inbox import accept
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.models.referd import Accepted, SendEvents
from grapevine.http.referd import endpoint, report_of


@endpoint(
    "POST /api/v3.0/integrations/event",
    scope="event:write",
    body=SendEvents,
    response=Accepted,
    refusals=(422,),
)
def handler(request: Request[SendEvents, Nothing]) -> Accepted:
    accept(request.caller.account_id, report_of(request))
    return Accepted()
