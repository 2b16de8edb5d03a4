"""What takes one of an index's guards away, and how the stories show it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from grapevine.table import store
from tests.unit.ranks.fake_table import ANYWAY
from tests.unit.ranks.workers import Workers


def goes_wrong(stories: Iterable[Workers[Any]], steps: int) -> bool:
    """Whether one of a few stories ends badly: something is counted wrongly, or nothing at all
    any more."""
    for story in stories:
        try:
            story.tell(steps)
        except (AssertionError, ValueError):
            return True
    return False


def put_anyway(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Items of the kind are put whatever is there."""
    put = store.put
    monkeypatch.setattr(
        store,
        "put",
        lambda item, condition: put(item, ANYWAY if item["type"] == kind else condition),
    )
