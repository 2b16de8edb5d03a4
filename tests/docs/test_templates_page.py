"""docs/templates.md names every template, word and filter that there is."""

from __future__ import annotations

import re
from pathlib import Path

from grapevine.engine.mail.templates.sandbox import FILTERS
from grapevine.engine.mail.templates.template import TEMPLATE_KEYS, VARIABLES

PAGE = (Path(__file__).parents[2] / "docs/templates.md").read_text(encoding="utf-8")


def test_every_word_stands_in_the_table_with_what_it_says() -> None:
    rows = dict(re.findall(r"^\| `\{\{(\w+)\}\}` \| (.+) \|$", PAGE, re.MULTILINE))

    assert rows == VARIABLES


def test_every_template_stands_in_the_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .+ \| .+ \|$", PAGE, re.MULTILINE)

    assert set(rows) == set(TEMPLATE_KEYS)


def test_every_filter_is_named() -> None:
    for name in FILTERS:
        assert f"`{name}`" in PAGE or f"|{name}(" in PAGE
