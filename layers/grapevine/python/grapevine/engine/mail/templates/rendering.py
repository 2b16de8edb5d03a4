"""Filling in a template: values are data, whatever they hold, and the result is bounded."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from grapevine.engine.mail.templates.plain import plain_text
from grapevine.engine.mail.templates.sandbox import environment
from grapevine.engine.mail.templates.template import MARKUP, VARIABLES, Template

if TYPE_CHECKING:
    import jinja2

MOST_RENDERED = 200_000
"""Characters of a part. Mail programs cut off what is longer, some at half of it."""

_LONGEST_LINE = 255


class TooLong(ValueError):
    """What came out of a template is longer than an e-mail may be."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """`subject` and `preheader` are one line of plain text each, `html` is the body alone."""

    subject: str
    preheader: str
    html: str
    text: str


def render(template: Template, values: Mapping[str, str]) -> Rendered:
    """`values` are plain text, except for those in `MARKUP`, which are HTML. A word without a value
    is empty.

    Raises:
        TooLong
    """
    from markupsafe import Markup

    known = {name: values.get(name, "") for name in VARIABLES}
    marked = {name: Markup(known[name]) for name in MARKUP}  # noqa: S704 - made by us, escaped there
    html = _filled(template.body, known | marked, escaping=True)
    if template.text is None:
        text = plain_text(html)
    else:
        plain = known | {name: plain_text(known[name]) for name in MARKUP}
        text = _filled(template.text, plain, escaping=False)
    return Rendered(
        subject=_line(template.subject, known),
        preheader=_line(template.preheader, known),
        html=html,
        text=text,
    )


def _line(source: str, values: Mapping[str, str]) -> str:
    """One line without control characters: it becomes a header, or stands in an attribute."""
    filled = _filled(source, values, escaping=False)
    shown = "".join(
        " " if unicodedata.category(one) in {"Cc", "Zl", "Zp"} else one for one in filled
    )
    return " ".join(shown.split())[:_LONGEST_LINE]


def _filled(source: str, values: Mapping[str, Any], *, escaping: bool) -> str:
    length, chunks = 0, list[str]()
    for chunk in _compiled(source, escaping=escaping).generate(values):
        length += len(chunk)
        if length > MOST_RENDERED:
            raise TooLong(f"It became longer than {MOST_RENDERED} characters.")
        chunks.append(chunk)
    return "".join(chunks)


@lru_cache(maxsize=64)
def _compiled(source: str, *, escaping: bool) -> jinja2.Template:
    return environment(escaping=escaping).from_string(source)
