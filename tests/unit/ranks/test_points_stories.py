"""Stories of players' points, told by `points_story`: whatever happens, everything is exact."""

from __future__ import annotations

import pytest

from grapevine.engine.ranks.points.trie import Shape
from tests.unit.ranks.points_story import PointsStory
from tests.unit.ranks.workers import one_after_the_other

__all__ = ["one_after_the_other"]

SHAPES = [
    Shape(1, 1, (45, 1, 1, 1)),
    Shape(2, 2, (38, 4, 4, 2)),
    Shape(4, 8, (18, 20, 10)),
    Shape(),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(4))
def test_those_ahead_are_those_of_sorting_everybody(seed: int, shape: Shape) -> None:
    PointsStory(seed, shape).tell(steps=160)
