"""POST /v1/campaigns/codes/generate: a batch of codes, shown this once."""

from grapevine.engine.access import campaign_called
from grapevine.engine.mechanics.batches import NewBatch, generate
from grapevine.http.endpoint import Nothing, Request, Response
from grapevine.http.gamifyhost import body_of, gamifyhost
from grapevine.http.idempotency import as_kept
from grapevine.http.models.codes import GenerateCodes, GeneratedCodes


@gamifyhost.endpoint(
    "POST /v1/campaigns/codes/generate",
    scope="gamification:write",
    body=GenerateCodes,
    response=GeneratedCodes,
    refusals=(404, 422),
)
def handler(request: Request[GenerateCodes, Nothing]) -> Response:
    sent = request.body
    campaign = campaign_called(request.caller, sent.slug)
    new = NewBatch(
        batch_size=sent.batch_size,
        points_value=sent.points_value,
        label=sent.label,
        expires_at=sent.expires_at,
        key=request.repetition_key,
    )
    generated = generate(campaign, new)
    body = body_of(GeneratedCodes.of(campaign, generated))
    return as_kept(body, is_replay=generated.is_replay)
