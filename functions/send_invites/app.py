"""POST /v2/campaign/{id}/participant/{participant}/invites: invites people by e-mail."""

from grapevine.engine.mail.inviting import invite
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.invites import InvitesSent, SendInvites


@endpoint(
    "POST /v2/campaign/{id}/participant/{participant}/invites",
    scope="participant:write",
    body=SendInvites,
    response=InvitesSent,
    refusals=(429,),
)
def handler(request: Request[SendInvites, Nothing]) -> InvitesSent:
    participant = request.located.load()
    return InvitesSent.of(invite(request.campaign, participant, request.body.invitation()))
