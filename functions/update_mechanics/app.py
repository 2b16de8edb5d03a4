"""PUT /v1/campaigns/{slug}/mechanics: what events earn from now on."""

from grapevine.engine.mechanics.saving import save
from grapevine.http.endpoint import Nothing, Request, Response
from grapevine.http.gamifyhost import exact_answer, of_mechanics
from grapevine.http.models.mechanics import (
    Mechanics,
    UpdateMechanics,
    seen_version,
    shown_mechanics,
)


@of_mechanics.endpoint(
    "PUT /v1/campaigns/{slug}/mechanics",
    scope="gamification:write",
    body=UpdateMechanics,
    response=Mechanics,
    refusals=(404, 412),
)
def handler(request: Request[UpdateMechanics, Nothing]) -> Response:
    expected = seen_version(request.headers)
    saved = save(request.campaign, request.body, expected, request.caller.key_id)
    return exact_answer(shown_mechanics(saved))
