from __future__ import annotations

import pytest

from tests.unit.dialects.world import World


@pytest.fixture
def world() -> World:
    return World()
