"""Workers that bring records into an index, and all that may happen to them.

Records come late, twice, in any order and in batches cut anywhere. Between any two calls of a
worker others may run to their end or die anywhere; then it goes on, or dies, too. So a worker can
find its batch finished by somebody else, or come back long after everybody else has moved on.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import pytest

from grapevine import runtime
from grapevine.engine.ranks import parts, protocol
from tests.unit.ranks.fake_table import FakeTable

R = TypeVar("R")
T = TypeVar("T")


class Died(BaseException):
    """A worker's process died."""


@dataclass
class Workers(ABC, Generic[R]):
    """`pending` are records that have not been delivered yet, `told` those that have."""

    seed: int
    table: FakeTable = field(default_factory=FakeTable, kw_only=True)
    pending: list[R] = field(default_factory=list, kw_only=True)
    told: list[R] = field(default_factory=list, kw_only=True)
    depth: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 - a story
        self.table.happening = self._happening

    @abstractmethod
    def act(self) -> None:
        """Something happens that makes a record."""

    @abstractmethod
    def maintain(self, batch: list[R]) -> None:
        """One worker's doing."""

    @abstractmethod
    def read_in_between(self) -> None:
        """A reader's doing, while workers go on: fails where it is told something wrong."""

    @abstractmethod
    def check(self) -> None:
        """Brings in all that is pending; fails where the index is wrong then."""

    @abstractmethod
    def now_ms(self) -> int: ...

    def tell(self, steps: int) -> None:
        """Tells the story to its end; fails where the index is wrong."""
        settings = runtime.Settings({"TABLE_NAME": "table"})
        context = runtime.Runtime(settings, now_ms=self.now_ms, client=lambda _: self.table)
        with runtime.using(context):
            for step in range(steps):
                self.act()
                if self.random.random() < 0.4:
                    self.deliver()
                if self.random.random() < 0.1:
                    self.read_in_between()
                if step % (steps // 4) == steps // 4 - 1:
                    self.check()

    def deliver(self) -> None:
        """One invocation with some pending records and some old ones; a dead one's come again."""
        new = self.random.sample(self.pending, self.random.randint(0, min(8, len(self.pending))))
        old = self.random.choices(self.told, k=self.random.randint(0, 4)) if self.told else []
        batch = new + old
        self.random.shuffle(batch)
        try:
            self.maintain(batch)
        except Died:
            return
        for one in new:
            # A worker in between may have delivered it, too.
            if one in self.pending:
                self.pending.remove(one)
                self.told.append(one)

    def _happening(self) -> None:
        chance = self.random.random()
        if chance < 0.01:
            raise Died
        if chance < 0.1 and self.depth < 3:
            self.depth += 1
            try:
                self.random.choice([self.deliver, self.deliver, self.act])()
            finally:
                self.depth -= 1

    @contextmanager
    def quiet(self) -> Iterator[None]:
        self.table.happening, before = lambda: None, self.table.happening
        try:
            yield
        finally:
            self.table.happening = before


@pytest.fixture(autouse=True)
def one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits and no thread is started: every story goes the same way each time it is told."""

    def in_turn(calls: Sequence[Callable[[], T]]) -> list[T]:
        return [call() for call in calls]

    def tries() -> Any:
        return range(60)

    for module in (parts, protocol):
        monkeypatch.setattr(module, "in_parallel", in_turn)
        monkeypatch.setattr(module, "attempts", tries)
    monkeypatch.setattr(protocol, "PATIENCE_SECONDS", 0)
