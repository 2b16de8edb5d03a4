"""Stories of a campaign's ranks, told by `story`: whatever happens, everything is exact."""

from __future__ import annotations

import pytest

from grapevine.engine.ranks.tree import Shape
from tests.unit.ranks.story import Story
from tests.unit.ranks.workers import one_after_the_other

__all__ = ["one_after_the_other"]

SHAPES = [Shape(4, 2), Shape(2, 3), Shape(8, 64), Shape()]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(5))
def test_ranks_are_those_of_sorting_everybody(seed: int, shape: Shape) -> None:
    Story(seed, shape).tell(steps=200)
