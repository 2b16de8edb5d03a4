"""Functions for codes and reversals die after each of their calls, and the same is sent again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import httpx
import pytest

from grapevine.engine.mechanics.code_secret import code_secret
from grapevine.engine.mechanics.win_codes import batch_code
from grapevine.table import mechanics_keys, store
from grapevine.table.codes import CodeBatch
from local.stack import Stack
from tests.coding import (
    counts,
    data_of,
    events_of,
    generate,
    new_codes,
    redeem,
    refused,
    reverse,
    stats,
    sums_are_right,
    verify,
)
from tests.conftest import inside
from tests.invariants import table_of
from tests.playing import GOLD, Game, mechanics

pytestmark = pytest.mark.both_engines

USER = "user_12345"
SIZE = 120


def killed_everywhere(
    stack: Stack, function_id: str, send: Callable[[int], httpx.Response], least: int
) -> Iterator[int]:
    """Sends request after request, each of which dies one call later than the one before, and gives
    their numbers. The last one, which lives, ends it."""
    for calls in itertools.count():
        with stack.kill_after(calls, function_id) as order:
            answer = send(calls)
        if not order.happened:
            break
        assert answer.status_code == 502
        yield calls
    assert calls >= least, "the request made hardly a call"


def unfinished(game: Game) -> list[str]:
    """The plain codes of the batches that were begun and not finished."""
    account_id = game.stack.account_id
    assert account_id is not None
    partition = mechanics_keys.code_batch(game.campaign_id, 0, "any").partition
    with inside(game.stack):
        items = store.query(None, partition, prefix=mechanics_keys.CODE_BATCH_PREFIX)
        secret = code_secret(account_id)
    begun = [batch for item in items if not (batch := CodeBatch.from_item(item)).finished_at]
    return [batch_code(secret, each.prefix, each.batch_id, 0, 0) for each in begun]


def test_a_batch_that_dies_anywhere_is_worth_nothing_until_its_key_comes_again(
    fresh_stack: Stack,
) -> None:
    game = Game.started(fresh_stack, mechanics())
    finished, seen_unfinished = 0, 0

    def send(number: int) -> httpx.Response:
        return generate(game, SIZE, 5, key=f"cards {number}")

    for number in killed_everywhere(fresh_stack, "GenerateCodesFunction", send, least=5):
        for code in unfinished(game):
            seen_unfinished += 1
            assert data_of(verify(game, code))["message"] == "Code not found"
            assert refused(redeem(game, f"u{number}", code)) == (404, "Code not found")
        codes = data_of(send(number))["codes"]

        finished += 1
        assert len(set(codes)) == SIZE
        assert data_of(redeem(game, f"u{number}", codes[number]))["totalPoints"] == 5
        assert send(number).json()["data"]["codes"] == codes
        assert stats(game)["totalCodes"] == finished * SIZE

    assert seen_unfinished >= 3
    assert unfinished(game) == []
    total = (finished + 1) * SIZE
    assert counts(game) == (total, total - finished, finished, 0, 0, finished + 1)


@pytest.mark.parametrize("key", ["with a key", None])
def test_i11_a_redemption_that_dies_anywhere_pays_once(fresh_stack: Stack, key: str | None) -> None:
    game = Game.started(fresh_stack, mechanics())
    codes = new_codes(game, 16, 500)

    def send(number: int) -> httpx.Response:
        sent = f"{key} {number}" if key else None
        return redeem(game, f"u{number}", codes[number], key=sent)

    redeemed = 1
    for number in killed_everywhere(fresh_stack, "RedeemCodeFunction", send, least=2):
        had_paid = game.player(f"u{number}") is not None
        again = send(number)

        if had_paid and key is None:
            assert refused(again) == (409, "Code status is REDEEMED")
        else:
            assert data_of(again)["totalPoints"] == 500
        assert [line.points for line in game.ledger(f"u{number}")] == [500]
        sums_are_right(game, f"u{number}")
        redeemed += 1
    assert counts(game) == (16, 16 - redeemed, redeemed, 0, 0, 1)


def test_a_reversal_that_dies_anywhere_takes_back_once(fresh_stack: Stack) -> None:
    game = Game.started(fresh_stack, mechanics())
    golds = game.keys_that_draw(GOLD)

    def send(number: int) -> httpx.Response:
        user_id = f"u{number}"
        game.event(user_id, "purchase", {"amount": 20}, key=next(golds))
        game.event(user_id, "signup")
        return reverse(game, user_id, purchase(number))

    def purchase(number: int) -> str:
        events = events_of(game, f"u{number}")
        return next(each.event_id for each in events if each.event_type == "purchase")

    for number in killed_everywhere(fresh_stack, "ReverseEventFunction", send, least=4):
        answer = data_of(reverse(game, f"u{number}", purchase(number)))

        assert (answer["pointsReversed"], answer["totalPoints"]) == (600, 50)
        assert answer["codeStatus"] == "REVOKED"
        sums_are_right(game, f"u{number}")


def test_a_wrong_code_counts_though_its_function_dies_afterwards(fresh_stack: Stack) -> None:
    game = Game.started(fresh_stack, mechanics())
    answered = 0

    def send(_: int) -> httpx.Response:
        return verify(game, "SUMM-22222222")

    for number in killed_everywhere(fresh_stack, "VerifyCodeFunction", send, least=2):
        assert data_of(send(number))["message"] == "Code not found"
        answered += 1

    (attempts,) = (
        item for item in table_of(fresh_stack).values() if item["type"] == "CodeAttempts"
    )
    assert answered + 1 < attempts["failed"] <= 2 * (answered + 1)
