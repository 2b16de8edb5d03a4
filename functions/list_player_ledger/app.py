"""GET /v1/campaigns/{slug}/participants/{userId}/ledger: all changes of a player's points."""

from grapevine.engine.mechanics.reading import ledger_page, player_of
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.gamifyhost import of_players
from grapevine.http.models.players import Ledger, ReadLedger


@of_players.endpoint(
    "GET /v1/campaigns/{slug}/participants/{userId}/ledger",
    scope="gamification:read",
    query=ReadLedger,
    response=Ledger,
    refusals=(404,),
)
def handler(request: Request[Nothing, ReadLedger]) -> Ledger:
    query = request.query
    player = player_of(request.campaign, request.path["userId"])
    return Ledger.of(player, ledger_page(player, query.type, query.cursor, query.limit))
