"""Without any one of its conditions the index goes wrong, and the stories show it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from grapevine.engine.ranks import batch, maintenance, parts, protocol
from grapevine.engine.ranks.tree import Shape
from tests.unit.ranks.removing import goes_wrong, put_anyway
from tests.unit.ranks.story import Story
from tests.unit.ranks.workers import one_after_the_other

__all__ = ["one_after_the_other"]

SHAPE = Shape(4, 2)
MOST_STORIES = 12


def is_noticed() -> bool:
    return goes_wrong((Story(seed, SHAPE) for seed in range(MOST_STORIES)), steps=200)


@pytest.mark.parametrize("kind", ["RankJournal", "RankBlock", "RankNode", "RankHead"])
def test_a_put_without_its_condition_is_found(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put_anyway(monkeypatch, kind)

    assert is_noticed()


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

    assert is_noticed()
