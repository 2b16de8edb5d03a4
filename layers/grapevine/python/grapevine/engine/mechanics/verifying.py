"""Looking at a code without redeeming it: whether it could be, and what it is worth."""

from __future__ import annotations

from dataclasses import dataclass

from grapevine import runtime
from grapevine.engine.access import Caller
from grapevine.engine.mechanics.campaign import Played, played
from grapevine.engine.mechanics.code_secret import code_secret
from grapevine.engine.mechanics.guessing import Guesses
from grapevine.engine.mechanics.win_codes import hash_of_code
from grapevine.table import keys, mechanics_keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.codes import Code, CodeBatch

VALID = "Code is valid and redeemable"
UNKNOWN = "Code not found"
NOT_ACTIVE = "Campaign is not active"
ENDED = "Campaign has ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """Of a code that does not exist `status` is empty, and there is no campaign. `has_ended`: its
    campaign has."""

    is_valid: bool
    status: str
    points_value: int
    campaign: Campaign | None
    has_ended: bool
    message: str


def verify(caller: Caller, text: str) -> Verified:
    """What is to be said of a code. Codes of other accounts do not exist.

    Raises:
        LimitReached: too many codes that do not exist.
    """
    code_hash = hash_of_code(code_secret(caller.account_id), text)
    key = mechanics_keys.code(caller.account_id, code_hash)
    guesses = Guesses.verifying(caller)
    found = store.get_many([key, guesses.key])
    guesses.refuse_if_too_many(found)
    code = Code.from_item(found[key]) if key in found else None
    game = _game_of(code) if code else None
    if code is None or game is None:
        guesses.count()
        return Verified(
            is_valid=False,
            status="",
            points_value=0,
            campaign=None,
            has_ended=False,
            message=UNKNOWN,
        )
    at = runtime.now_ms()
    message = _message(game, code, at)
    return Verified(
        is_valid=message == VALID,
        status=code.status_at(at),
        points_value=code.points_value,
        campaign=game.campaign,
        has_ended=_has_ended(game, at),
        message=message,
    )


def _game_of(code: Code) -> Played | None:
    """None for a code of a batch that was never finished, or of a campaign that is deleted."""
    campaign_key = keys.campaign(code.campaign_id)
    batch_key = None
    if code.batch_id is not None and code.batch_created_at is not None:
        batch_key = mechanics_keys.code_batch(
            code.campaign_id, code.batch_created_at, code.batch_id
        )
    found = store.get_many([campaign_key, *([batch_key] if batch_key else [])])
    if batch_key is not None:
        batch = CodeBatch.from_item(found[batch_key]) if batch_key in found else None
        if batch is None or batch.finished_at is None:
            return None
    campaign = Campaign.from_item(found[campaign_key]) if campaign_key in found else None
    if campaign is None or campaign.status == "DELETED":
        return None
    return played(campaign, may_be_remembered=True)


def _message(game: Played, code: Code, at: int) -> str:
    status = code.status_at(at)
    if status != "ACTIVE":
        return f"Code status is {status}"
    if code.batch_id is None:
        # The code of a win outlives its campaign.
        return VALID
    if _has_ended(game, at):
        return ENDED
    is_active = game.campaign.is_in_progress and game.configuration.takes_events_at(at)
    return VALID if is_active else NOT_ACTIVE


def _has_ended(game: Played, at: int) -> bool:
    ends_at = game.configuration.ends_at
    return game.campaign.status == "COMPLETE" or (ends_at is not None and ends_at < at)
