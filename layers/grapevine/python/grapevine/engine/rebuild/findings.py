"""What a rebuild has found to be wrong: how often of each kind, and the first few by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

_MOST_NAMED = 20


class Kind(StrEnum):
    """In the order in which they are reported."""

    FACT = "facts that disagree with each other (not changed)"
    PARTICIPANT = "participants counted wrongly in the rank index"
    PART = "parts of the rank index that did not add up"
    PLAYER = "players counted wrongly in the index of ranks by points"
    POINTS_PART = "parts of the index of ranks by points that did not add up"
    TOTAL = "totals that were wrong"
    COUNTED = "records of what the totals contain that were wrong"
    BEHIND = "changes that had not been counted (lost, or still on their way)"


@dataclass(frozen=True, slots=True)
class Findings:
    """`named` holds at most the first 20 of each kind."""

    numbers: dict[Kind, int] = field(default_factory=dict)
    named: dict[Kind, list[str]] = field(default_factory=dict)

    def add(self, kind: Kind, text: str) -> None:
        self.numbers[kind] = self.numbers.get(kind, 0) + 1
        named = self.named.setdefault(kind, [])
        if len(named) < _MOST_NAMED:
            named.append(text)

    def lines(self) -> list[str]:
        """As they are printed; none when nothing was wrong."""
        lines: list[str] = []
        for kind in Kind:
            if kind in self.numbers:
                named, rest = self.named[kind], self.numbers[kind] - len(self.named[kind])
                lines += [f"{kind.value}: {self.numbers[kind]}", *(f"  {each}" for each in named)]
                lines += [f"  and {rest} more"] if rest else []
        return lines
