"""docs/mechanics.md names every field, operator and choice that a configuration has."""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from grapevine.engine.mechanics.configuration import Configuration, parse
from grapevine.engine.mechanics.counters import MOST_DISTINCT, MOST_RETIRED
from grapevine.engine.mechanics.validating import MOST_MOMENTS, MOST_RULES_OF_A_TYPE
from grapevine.table.ledger import Downgrade

PAGE = (Path(__file__).parents[2] / "docs/mechanics.md").read_text(encoding="utf-8")
CODE = re.compile(r"`([^`\n]+)`")
WORDS = {word for code in CODE.findall(PAGE) for word in re.findall(r"[A-Za-z_]+", code)}


def kinds_in(annotation: Any) -> Iterator[Any]:
    """The classes and literals that a field's type is made of."""
    if typing.get_origin(annotation) is Literal or isinstance(annotation, type):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from kinds_in(argument)


def words_of(model: type[BaseModel]) -> set[str]:
    """All field names and choices below a model, as the API writes them."""
    words: set[str] = set()
    for name, field in model.model_fields.items():
        words.add(field.alias or name)
        for kind in kinds_in(field.annotation):
            if typing.get_origin(kind) is Literal:
                words |= {str(choice) for choice in typing.get_args(kind)}
            elif typing.get_origin(kind) is None and issubclass(kind, BaseModel):
                words |= words_of(kind)
    return words


def test_the_page_names_every_field_and_choice() -> None:
    words = words_of(Configuration)

    assert len(words) > 90
    assert words - WORDS == set()


def test_the_page_names_every_reason_for_which_a_hit_is_no_win() -> None:
    assert set(typing.get_args(Downgrade)) <= WORDS


def test_the_page_tells_the_limits_that_there_are() -> None:
    assert (MOST_DISTINCT, MOST_RETIRED, MOST_RULES_OF_A_TYPE, MOST_MOMENTS) == (500, 100, 10, 1000)
    assert "at most 500 are told apart" in PAGE
    assert "last hundred of each kind" in PAGE
    assert "more than ten rules for one event type" in PAGE
    assert "an `inventory` of at most a thousand" in PAGE


def test_the_awards_and_metrics_of_the_page_are_taken() -> None:
    fields = [code.replace("…", '"x"') for code in CODE.findall(PAGE) if code.startswith('{"type"')]
    awards = [code for code in fields if "points_total" not in code and '"eventType"' not in code]
    metrics = [code for code in fields if code not in awards]
    bodies = [f'{{"id":"r","eventType":"x","award":{award}}}' for award in awards]
    goals = [
        f'{{"id":"m{place}","name":"m","metric":{metric},"threshold":5}}'
        for place, metric in enumerate(metrics)
    ]

    for body in bodies:
        parse({"points": {"rules": [json.loads(body)]}})
    configuration = parse({"milestones": [json.loads(goal) for goal in goals]})

    assert len(awards) == 3
    assert {each.metric.type for each in configuration.milestones} == {
        "points_total",
        "event_count",
        "metadata_sum",
        "distinct_values",
        "streak",
    }
