"""Without any one of its conditions the index of points goes wrong, and the stories show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from grapevine.engine.ranks import parts
from grapevine.engine.ranks.boards import Boards
from grapevine.engine.ranks.points import batch, reading, trie
from grapevine.engine.ranks.points.places import Counted, Place
from grapevine.engine.ranks.points.trie import Shape, Spread
from tests.unit.ranks.points_story import PointsStory
from tests.unit.ranks.removing import goes_wrong, put_anyway
from tests.unit.ranks.workers import one_after_the_other

__all__ = ["one_after_the_other"]

SHAPE = Shape(2, 2, (38, 4, 4, 2))
MOST_STORIES = 12


def is_noticed() -> bool:
    return goes_wrong((PointsStory(seed, SHAPE) for seed in range(MOST_STORIES)), steps=120)


@pytest.mark.parametrize("kind", ["PointsJournal", "PointsCounted", "PointsNode", "PointsHead"])
def test_a_put_without_its_condition_is_found(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put_anyway(monkeypatch, kind)

    assert is_noticed()


def counts_any_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_other(counted: Counted, place: Place) -> bool:
        return counted.position != place.position

    monkeypatch.setattr(Counted, "is_behind", is_other)


def never_undoes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sees a batch before it is published."""
    monkeypatch.setattr(parts, "laid_over", lambda content, _: content)


def keeps_what_it_gave_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket that becomes inner and holds its members still."""
    spread = trie.spread

    def keeping(node: trie.Digits, before: Boards, changes: dict[int, int], s: Shape) -> Spread:
        step = spread(node, before, changes, s)
        is_burst = trie.CHILDREN in step.values and trie.CHILDREN not in before
        kept = {trie.CHILDREN: step.values[trie.CHILDREN]} if is_burst else step.values
        return replace(step, values=kept)

    monkeypatch.setattr(batch, "spread", keeping)


def reads_on_when_overtaken(monkeypatch: pytest.MonkeyPatch) -> None:
    as_of_head = parts.as_of_head
    monkeypatch.setattr(
        parts, "as_of_head", lambda part, last: as_of_head(part, max(last, part.version - 1))
    )


class Unknown:
    """What is counted of somebody whom the index does not know."""

    @staticmethod
    def of(_: Boards) -> Counted:
        return Counted(0, 0)


def counts_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that does not leave out what the index has of those who are aside."""
    monkeypatch.setattr(reading, "Counted", Unknown)


def stops_one_level_early(monkeypatch: pytest.MonkeyPatch) -> None:
    path_of = trie.path_of
    monkeypatch.setattr(reading, "path_of", lambda digits: path_of(digits)[:-1])


MUTANTS = [
    counts_any_version,
    never_undoes,
    keeps_what_it_gave_away,
    reads_on_when_overtaken,
    counts_itself,
    stops_one_level_early,
]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_removed_check_is_found(
    mutant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(monkeypatch)

    assert is_noticed()
