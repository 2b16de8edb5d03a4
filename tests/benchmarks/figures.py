"""Figures as tables in Markdown, and what is wrong with them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    print(f"\n{title}\n")
    print(f"| {' | '.join(columns)} |")
    print("|---" * len(columns) + "|")
    for row in rows:
        print(f"| {' | '.join(map(text_of, row))} |")
    sys.stdout.flush()


def text_of(figure: object) -> str:
    return f"{figure:.2f}".rstrip("0").rstrip(".") if isinstance(figure, float) else str(figure)


def spent(units: Mapping[str, float]) -> str:
    """Units by part, the dearest first."""
    ordered = sorted(units.items(), key=lambda part: -part[1])
    return ", ".join(
        f"{kind} {text_of(float(amount))}" for kind, amount in ordered if amount >= 0.01
    )


def mean(figures: Iterable[float]) -> float:
    several = list(figures)
    return sum(several) / len(several)


class Bounds:
    """What has been held against its bound, and was over it."""

    def __init__(self) -> None:
        self.broken: list[str] = []

    def hold(self, what: str, figure: float, bound: float | None) -> None:
        if bound is not None and figure > bound:
            self.broken.append(f"{what}: {figure:g}, allowed are {bound:g}")
