"""Unit tests open no socket and touch no table: they look at rules, one at a time."""

from __future__ import annotations

import pytest
from hypothesis import settings

# How long an example takes says more about the machine than about the rule.
settings.register_profile("unit", deadline=None)
settings.load_profile("unit")


@pytest.fixture(autouse=True)
def _no_sockets(socket_disabled: None) -> None:
    """Whatever tries to connect fails."""
