"""Jinja2 as far as templates may use it: known words, a few filters, and `if` on known words.

Templates are written by whoever holds a key, so they are programs of strangers. What a template
may hold is checked on its syntax tree when it is saved, and rendering happens in Jinja2's sandbox
without globals, tests or other filters: two locks, either of which is enough. Nothing in it can
loop, call, import or reach into an object, so what it costs is bounded by its length.

Jinja2 is loaded on first use: most functions never render.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from grapevine.engine.mail.templates.template import FOOTER, VARIABLES

if TYPE_CHECKING:
    from jinja2 import nodes
    from jinja2.sandbox import SandboxedEnvironment

_DEEPEST = 10
_MOST_NODES = 2000


class UnsafeTemplate(ValueError):
    """A template that may not be saved; the message says what to change."""


@cache
def environment(*, escaping: bool) -> SandboxedEnvironment:
    """With `escaping` for HTML: every value is escaped."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    made = ImmutableSandboxedEnvironment(
        autoescape=escaping, undefined=StrictUndefined, cache_size=0, keep_trailing_newline=True
    )
    made.globals.clear()
    made.tests.clear()
    offered = {name: made.filters[name] for name in _PLAIN_FILTERS}
    made.filters = {**offered, "default": _default}
    return made


_PLAIN_FILTERS = ("capitalize", "lower", "title", "trim", "upper")
FILTERS = frozenset({*_PLAIN_FILTERS, "default"})


def _default(value: Any, fallback: str = "") -> Any:
    """Unlike Jinja2's own it replaces what is empty: every word is always defined."""
    return value or fallback


def check(source: str) -> frozenset[str]:
    """The words that a template uses.

    Raises:
        UnsafeTemplate
    """
    from jinja2 import TemplateSyntaxError

    try:
        tree = environment(escaping=True).parse(source)
    except TemplateSyntaxError as error:
        raise UnsafeTemplate(f"Line {error.lineno}: {error.message}.") from None
    except (RecursionError, ValueError):
        raise UnsafeTemplate("It cannot be read as a template.") from None
    walk = _Walk()
    walk.statements(tree.body, 0)
    return frozenset(walk.used)


def check_body(source: str) -> None:
    """A body also has to show the footer, outside of any `if`.

    Raises:
        UnsafeTemplate
    """
    check(source)
    if not shows_footer(source):
        raise UnsafeTemplate("It must contain {{emailFooter}}, outside of any if.")


def shows_footer(source: str) -> bool:
    """Whether a template that has been checked shows the footer, whatever its words are."""
    shown = environment(escaping=True).parse(source).body
    return any(_is_footer(part) for output in shown for part in getattr(output, "nodes", ()))


def _is_footer(part: nodes.Node) -> bool:
    from jinja2 import nodes

    return isinstance(part, nodes.Name) and part.name == FOOTER


class _Walk:
    """One walk over a syntax tree that refuses whatever is not known to be harmless."""

    def __init__(self) -> None:
        self.used: set[str] = set()
        self._seen = 0

    def statements(self, body: Sequence[nodes.Node], depth: int) -> None:
        from jinja2 import nodes

        for statement in body:
            self._count(statement, depth)
            match statement:
                case nodes.Output():
                    for part in statement.nodes:
                        if not isinstance(part, nodes.TemplateData):
                            self._value(part, depth + 1)
                case nodes.If():
                    self._condition(statement.test, depth + 1)
                    for branch in (statement.body, statement.elif_, statement.else_):
                        self.statements(branch, depth + 1)
                case _:
                    self._refuse(statement, "Only {% if %} is allowed as a statement")

    def _value(self, value: nodes.Node, depth: int) -> None:
        from jinja2 import nodes

        self._count(value, depth)
        match value:
            case nodes.Name(ctx="load"):
                self._name(value)
            case nodes.Const():
                self._text(value)
            case nodes.Filter(node=nodes.Node() as filtered):
                if value.name not in FILTERS:
                    known = ", ".join(sorted(FILTERS))
                    self._refuse(value, f"There is no filter {value.name}, only {known}")
                if value.kwargs or value.dyn_args or value.dyn_kwargs:
                    self._refuse(value, "A filter takes one text at most")
                if len(value.args) > (value.name == "default"):
                    self._refuse(value, "Only the filter default takes a text, and one at most")
                for argument in value.args:
                    self._text(argument)
                self._value(filtered, depth + 1)
            case _:
                self._refuse(value, "Only a word, with filters, may stand in {{ }}")

    def _condition(self, test: nodes.Node, depth: int) -> None:
        from jinja2 import nodes

        self._count(test, depth)
        match test:
            case nodes.Name(ctx="load"):
                self._name(test)
            case nodes.Not():
                self._condition(test.node, depth + 1)
            case nodes.And() | nodes.Or():
                self._condition(test.left, depth + 1)
                self._condition(test.right, depth + 1)
            case _:
                self._refuse(test, "An if may ask for words only, with not, and, or")

    def _name(self, name: nodes.Name) -> None:
        if name.name not in VARIABLES:
            self._refuse(name, f"There is no {{{{{name.name}}}}}")
        self.used.add(name.name)

    def _text(self, constant: nodes.Node) -> None:
        text = getattr(constant, "value", None)
        if not isinstance(text, str):
            self._refuse(constant, "Only a text in quotes may stand here")
        elif not _can_be_sent(text):
            self._refuse(constant, "Half a surrogate pair is no text")

    def _count(self, node: nodes.Node, depth: int) -> None:
        self._seen += 1
        if depth > _DEEPEST:
            self._refuse(node, f"It is nested more than {_DEEPEST} deep")
        if self._seen > _MOST_NODES:
            self._refuse(node, f"It has more than {_MOST_NODES} parts")

    def _refuse(self, node: nodes.Node, reason: str) -> None:
        raise UnsafeTemplate(f"Line {node.lineno}: {reason}.")


def _can_be_sent(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
