from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.engine.mechanics.conditions import Condition, holds, sum_at, values_at
from grapevine.engine.mechanics.configuration import parse
from grapevine.engine.mechanics.numbers import decimal_of, number_in, spelled
from grapevine.errors import InvalidRequest
from tests.unit.mechanics.samples import Playing, points, rule

ABSENT = object()

# operator, its value, what the event has at `x`, whether they match
CASES: list[tuple[str, Any, Any, bool]] = [
    ("eq", "a", "a", True),
    ("eq", "a", "A", False),
    ("eq", "a", ["b", "a"], True),
    ("eq", "a", [], False),
    ("eq", "a", ABSENT, False),
    ("eq", 10, 10, True),
    ("eq", 10, Decimal("10.00"), True),
    ("eq", 10, "10.0", True),
    ("eq", 10, "ten", False),
    ("eq", "10", 10, False),
    ("eq", 1, True, False),
    ("eq", True, True, True),
    ("eq", True, 1, False),
    ("eq", True, "true", False),
    ("eq", False, False, True),
    ("neq", "a", "b", True),
    ("neq", "a", "a", False),
    ("neq", "a", ["b", "a"], False),
    ("neq", "a", ABSENT, False),
    ("neq", 10, "10.0", False),
    ("in", ["a", "b"], "b", True),
    ("in", ["a", "b"], "c", False),
    ("in", ["a", 2, True], "2", True),
    ("in", ["a", 2, True], ["x", 2], True),
    ("in", ["a"], ABSENT, False),
    ("gt", 10, 10, False),
    ("gt", 10, Decimal("10.01"), True),
    ("gt", 10, "100", True),
    ("gt", 10, "1e3", False),
    ("gt", 10, " 100", False),
    ("gt", 10, "1,000", False),
    ("gt", 10, "٣٠٠", False),
    ("gt", 0, True, False),
    ("gt", 10, [1, 2, 11], True),
    ("gt", 10, [1, "11"], True),
    ("gt", 10, ["x", 2], False),
    ("gt", 10, {"y": 11}, False),
    ("gt", 10, ABSENT, False),
    ("gte", 10, 10, True),
    ("gte", 10, Decimal("9.999"), False),
    ("gte", 10, "+10", True),
    ("gte", -5, "-5.0", True),
    ("lt", 10, 9, True),
    ("lt", 10, 10, False),
    ("lt", Decimal("0.1"), Decimal("0.09999999999999999999"), True),
    ("lte", 10, 10, True),
    ("lte", 10, Decimal("10.0000000001"), False),
    ("between", [1, 5], 1, True),
    ("between", [1, 5], 5, True),
    ("between", [1, 5], Decimal("5.01"), False),
    ("between", [1, 5], "3", True),
    ("between", [1, 5], [0, 6], False),
    ("contains", "men", "women & men", True),
    ("contains", "men", "MEN", False),
    ("contains", "men", ["new", "womens"], True),
    ("contains", "1", 1, False),
    ("contains", "men", ABSENT, False),
    ("exists", True, "", True),
    ("exists", True, 0, True),
    ("exists", True, False, True),
    ("exists", True, None, False),
    ("exists", True, [], False),
    ("exists", True, {"y": 1}, False),
    ("exists", True, ABSENT, False),
    ("exists", False, ABSENT, True),
    ("exists", False, None, True),
    ("exists", False, "a", False),
]


@pytest.mark.parametrize(("op", "value", "found", "expected"), CASES)
def test_each_operator_matches_what_it_says(
    op: str, value: Any, found: Any, expected: bool
) -> None:
    condition = Condition.model_validate({"field": "x", "op": op, "value": value})
    metadata = {} if found is ABSENT else {"x": found}

    assert holds(condition, metadata) is expected


def test_exists_needs_no_value() -> None:
    condition = Condition.model_validate({"field": "x", "op": "exists"})

    assert holds(condition, {"x": 1})
    assert not holds(condition, {})


@pytest.mark.parametrize(
    ("op", "value"),
    [
        ("eq", None),
        ("eq", [1]),
        ("eq", {"a": 1}),
        ("in", "a"),
        ("in", []),
        ("in", [["a"]]),
        ("in", ["a"] * 101),
        ("gt", "10"),
        ("gte", True),
        ("lt", None),
        ("lte", float("nan")),
        ("lte", 10**15),
        ("between", [1]),
        ("between", [5, 1]),
        ("between", [1, 2, 3]),
        ("between", ["1", "2"]),
        ("contains", ""),
        ("contains", 5),
        ("exists", "yes"),
        ("like", "a"),
        ("eq", "a" * 1001),
    ],
)
def test_a_value_that_does_not_fit_its_operator_is_refused(op: str, value: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        points(rule("r", "buy", 1, when=[{"field": "x", "op": op, "value": value}]))

    assert all(each.field.startswith("points.rules.0.when.0") for each in refused.value.problems)


def test_all_conditions_of_a_rule_must_hold() -> None:
    both = [
        {"field": "amount", "op": "gte", "value": 10},
        {"field": "country", "op": "in", "value": ["DE", "AT"]},
    ]
    playing = Playing(points(rule("r", "buy", 7, when=both)))

    assert playing.earns("buy", {"amount": 10, "country": "DE"}) == 7
    assert playing.earns("buy", {"amount": 10, "country": "FR"}) == 0
    assert playing.earns("buy", {"amount": 9, "country": "DE"}) == 0


@pytest.mark.parametrize(
    ("metadata", "path", "expected"),
    [
        ({"a": 1}, "a", (1,)),
        ({"a": {"b": 1}}, "a.b", (1,)),
        ({"a.b": 2, "a": {"b": 1}}, "a.b", (2,)),
        ({"a": {"b": {"c": ["x", "y"]}}}, "a.b.c", ("x", "y")),
        ({"a": {"b": 1}}, "a", ()),
        ({"a": [{"b": 1}, 2]}, "a", (2,)),
        ({"a": [{"b": 1}]}, "a.b", ()),
        ({"a": "text"}, "a.b", ()),
        ({"a": None}, "a", ()),
        ({}, "a.b.c", ()),
        ({"": 1}, ".", ()),
    ],
)
def test_a_path_leads_to_scalars_and_to_nothing_else(
    metadata: dict[str, Any], path: str, expected: tuple[Any, ...]
) -> None:
    assert values_at(metadata, path) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([1, "2.5", "x", True, None, Decimal("0.5")], Fraction(4)),
        ("100", Fraction(100)),
        ([], Fraction(0)),
        ([0.1, 0.2], Fraction(3, 10)),
        (10**15, Fraction(0)),
        (Decimal("1E-39"), Fraction(0)),
        (Decimal("NaN"), Fraction(0)),
        ("9" * 39, Fraction(0)),
    ],
)
def test_numbers_at_a_path_are_added_exactly(found: Any, expected: Fraction) -> None:
    assert sum_at({"x": found}, "x") == expected


NUMBERS = st.one_of(
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.decimals(min_value=-(10**14), max_value=10**14, allow_nan=False, places=10),
)


@given(NUMBERS)
def test_a_number_is_the_same_as_its_text(number: int | Decimal) -> None:
    assert number_in(f"{number:f}") == number_in(number) == number
    assert spelled(Decimal(number)) == spelled(
        Decimal(f"{number:f}0") if "." in f"{number:f}" else Decimal(f"{number}.00")
    )


@given(st.lists(NUMBERS, max_size=20))
def test_sums_lose_no_digit(numbers: list[int | Decimal]) -> None:
    total = sum_at({"x": numbers}, "x")

    assert total == sum((Fraction(each) for each in numbers), Fraction(0))
    assert Fraction(spelled(decimal_of(total))) == total


def test_a_condition_is_stored_and_read_without_a_change() -> None:
    configuration = points(
        rule(
            "r",
            "buy",
            1,
            when=[
                {"field": "a", "op": "between", "value": [Decimal("0.10"), 2]},
                {"field": "b", "op": "in", "value": ["x", 1, True]},
                {"field": "c", "op": "exists"},
            ],
        )
    )

    assert parse(configuration.model_dump(by_alias=True)) == configuration
