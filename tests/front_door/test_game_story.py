"""The three APIs as one system: what a purchase of a referred friend sets off, to the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.stack import Stack
from tests.api import Api
from tests.playing import Game, mechanics
from tests.reporting import link, referring, report
from tests.reward_stories import Program, received, stack_with_receivers

pytestmark = pytest.mark.both_engines


@pytest.fixture
def hooked(engine: str) -> Iterator[Stack]:
    with stack_with_receivers(engine) as stack:
        yield stack


def test_a_purchase_of_a_friend_pays_the_friend_and_the_referrer(hooked: Stack) -> None:
    made = referring(sources=["referd", "internal"], instantWin=mechanics()["instantWin"])
    made["instantWin"]["tiers"] = [
        {"id": "gold", "name": "Gold", "oddsPpm": 1_000_000, "inventory": 1, "points": 500}
    ]
    game = Game.started(hooked, made)
    with Api(hooked.url, hooked.api_key) as api:
        program = Program(hooked, api, game.campaign_id)
        program.offer(conversionsRequired=1, title="A shirt")
        program.listen(program.id, ["PARTICIPANT_REACHED_A_GOAL"])
        referrer = program.join(firstName="Ada")
        friend = program.join(firstName="Bob", referredBy=referrer)
        link(game, "ada", referrer)
        link(game, "bob", friend)

        report(hooked, {"purchase": {"amount": "49.99", "orderId": "o-1"}}, player="bob", key="o-1")
        hooked.drain()
        # The order comes a second time, by another API and with another key.
        again = game.send("bob", "purchase", {"amount": 49.99, "orderId": "o-1"}, key="another")
        hooked.drain()

        # GrowSurf: the referrer's credit and the reward that it unlocks.
        shown = api.read(program.id, friend)
        assert shown["referralStatus"] == "CREDIT_AWARDED"
        assert api.read(program.id, referrer)["referralCount"] == 1
        assert [one["status"] for one in program.earned(referrer)] != []
        # The webhook that tells of it.
        (event,) = received(hooked, program.id)
        assert event["event"] == "PARTICIPANT_REACHED_A_GOAL"
        assert event["data"]["participant"]["id"] == referrer
        assert event["data"]["reward"]["title"] == "A shirt"
        # GamifyHost: the friend's points and prize, as the purchase is answered again.
        answer = again.json()["data"]
        assert again.headers["idempotent-replayed"] == "true"
        assert (answer["pointsEarned"], answer["totalPoints"]) == (100, 600)
        assert answer["instantWin"]["prizeTier"] == "Gold"
        (win,) = game.call("GET", "participants/bob/wins").json()["data"]["wins"]
        assert win["winCode"] == answer["instantWin"]["winCode"]
        # And the referrer's points for the credit.
        entries = game.call("GET", "participants/ada/ledger").json()["data"]["entries"]
        assert [(one["eventType"], one["points"]) for one in entries] == [
            ("internal:referral_credited", 30)
        ]
        board = game.call("GET", "leaderboard").json()["data"]["entries"]
        assert [(one["userId"], one["totalPoints"]) for one in board] == [("bob", 600), ("ada", 30)]
