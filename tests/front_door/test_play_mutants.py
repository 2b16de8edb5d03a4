"""The four guards of a play, each taken away in turn: the stories of `test_play_races` notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from grapevine.engine.mechanics import recording
from grapevine.table import store
from grapevine.table.codes import Code
from grapevine.table.ledger import LedgerLine
from grapevine.table.mechanics import Stock
from grapevine.table.players import Player
from grapevine.table.receipts import Receipt
from grapevine.table.writes import Add, Condition, Put, Write
from local.stack import Stack
from tests.front_door import test_play_races as races

ANYWAY = Condition("attribute_exists(#partition) OR attribute_not_exists(#partition)")

Story = Callable[[Stack, pytest.MonkeyPatch], None]
Mutated = Callable[[Sequence[Write]], list[Write]]


def kind_of(write: Write) -> str | None:
    match write:
        case Put():
            return str(write.item["type"])
        case Add():
            return write.type
        case _:
            return None


def without_condition(kind: str) -> Mutated:
    def mutated(writes: Sequence[Write]) -> Iterator[Write]:
        for write in writes:
            if kind_of(write) != kind:
                yield write
            elif isinstance(write, Put):
                yield replace(write, condition=ANYWAY)
            elif isinstance(write, Add):
                yield replace(write, condition=None)

    return lambda writes: list(mutated(writes))


def without(kind: str) -> Mutated:
    return lambda writes: [write for write in writes if kind_of(write) != kind]


def of_the_stack(story: Callable[[Stack], None]) -> Story:
    return lambda stack, _: story(stack)


STOCK = of_the_stack(races.test_i2_a_stock_of_two_is_given_to_two_of_many_players)
PLAYER = of_the_stack(races.test_i3_twenty_events_at_once_of_one_player_are_seven_plays)
RUSH = races.test_i1_i2_i5_i6_i8_a_rush_of_repeated_events_gives_everything_once
ONE_KEY = of_the_stack(races.test_i7_of_eight_players_with_one_key_at_once_one_is_given_anything)


@pytest.mark.parametrize(
    ("mutated", "story"),
    [
        pytest.param(without_condition(Stock.TYPE), STOCK, id="the stock's condition"),
        pytest.param(without_condition(Player.TYPE), PLAYER, id="the player's version"),
        pytest.param(without_condition(Code.TYPE), RUSH, id="the code's condition"),
        pytest.param(without_condition(Receipt.TYPE), ONE_KEY, id="the receipt's condition"),
        pytest.param(without(Receipt.TYPE), RUSH, id="the receipts"),
    ],
)
def test_without_this_guard_a_story_goes_wrong(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, mutated: Mutated, story: Story
) -> None:
    transact = store.transact
    monkeypatch.setattr(store, "transact", lambda writes: transact(mutated(writes)))
    # Who waits for a guard that is not there is answered soon.
    monkeypatch.setattr(recording, "WITHIN_SECONDS", 0.5)

    with pytest.raises(AssertionError):
        story(stack, monkeypatch)


def test_what_is_no_guard_can_be_taken_away_like_this(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger line is as new as its event."""
    transact, mutated = store.transact, without_condition(LedgerLine.TYPE)
    monkeypatch.setattr(store, "transact", lambda writes: transact(mutated(writes)))

    PLAYER(stack, monkeypatch)
