"""Without any one of its conditions the index goes wrong, and the stories show it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from grapevine.engine.ranks import batch, maintenance, parts, protocol
from grapevine.engine.ranks.tree import Shape
from grapevine.table import store
from tests.unit.ranks.fake_table import ANYWAY
from tests.unit.ranks.story import Story, play
from tests.unit.ranks.workers import one_after_the_other

__all__ = ["one_after_the_other"]

SHAPE = Shape(4, 2)
MOST_STORIES = 12


def goes_wrong() -> bool:
    """Whether one of a few stories ends badly: something is counted wrongly, or nothing at all
    any more."""
    for seed in range(MOST_STORIES):
        try:
            play(Story(seed, SHAPE), steps=200)
        except (AssertionError, ValueError):
            return True
    return False


@pytest.mark.parametrize("kind", ["RankJournal", "RankBlock", "RankNode", "RankHead"])
def test_a_put_without_its_condition_is_found(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put = store.put
    monkeypatch.setattr(
        store,
        "put",
        lambda item, condition: put(item, ANYWAY if item["type"] == kind else condition),
    )

    assert goes_wrong()


def counts_any_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "_is_news", lambda *_: True)


def applies_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A helper that does not look whether a part holds the batch already."""
    monkeypatch.setattr(maintenance, "is_applied", lambda *_: False)


def finishes_any_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A helper that does not look whether the batch is the one after its head."""
    monkeypatch.setattr(protocol, "_follows", lambda *_: True)


def never_undoes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that shows a batch before it is published."""
    monkeypatch.setattr(parts, "laid_over", lambda content, _: content)


MUTANTS = [counts_any_version, applies_twice, finishes_any_batch, never_undoes]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_removed_check_is_found(
    mutant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(monkeypatch)

    assert goes_wrong()
