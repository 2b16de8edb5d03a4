"""What may stand in a template, and what happens to the values that fill it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import escape

from grapevine.engine.mail.templates import rendering, sandbox
from grapevine.engine.mail.templates.defaults import DEFAULTS
from grapevine.engine.mail.templates.rendering import TooLong, render
from grapevine.engine.mail.templates.sandbox import FILTERS, UnsafeTemplate, check, check_body
from grapevine.engine.mail.templates.template import (
    MOST_CHARACTERS,
    TEMPLATE_KEYS,
    VARIABLES,
    Template,
    TemplateKey,
)

FOOT = "{{emailFooter}}"

ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ firstName.__class__ }}",
    "{{ firstName['__class__'] }}",
    "{{ firstName|attr('__class__') }}",
    "{{ firstName.upper() }}",
    "{{ self }}",
    "{{ self._TemplateReference__context }}",
    "{{ loop }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ lipsum.__globals__ }}",
    "{{ range(999999999) }}",
    "{{ joiner() }}",
    "{{ namespace() }}",
    "{{ dict() }}",
    "{{ config }}",
    "{{ caller() }}",
    "{{ varargs }}",
    "{{ firstName * 999999999 }}",
    "{{ 'a' * 999999999 }}",
    "{{ 9**9**9 }}",
    "{{ firstName ~ lastName }}",
    "{{ firstName + lastName }}",
    "{{ firstName if lastName else email }}",
    "{{ firstName == lastName }}",
    "{{ [firstName] }}",
    "{{ (firstName, lastName) }}",
    "{{ {'a': firstName} }}",
    "{{ firstName[0] }}",
    "{{ firstName[:3] }}",
    "{{ firstName is defined }}",
    "{{ emailFooter|safe }}",
    "{{ firstName|center(999999999) }}",
    "{{ firstName|format(1) }}",
    "{{ firstName|replace('a', 'b') }}",
    "{{ firstName|map('upper') }}",
    "{{ firstName|default(lastName) }}",
    "{{ firstName|default('a', true) }}",
    "{{ firstName|default(default_value='a') }}",
    "{{ firstName|default(*lastName) }}",
    "{{ firstName|default(**lastName) }}",
    "{{ firstName|upper('a') }}",
    "{{ firstName|default(1) }}",
    "{{ 1 }}",
    "{{ true }}",
    "{{ password }}",
    "{{ first_name }}",
    "{% for one in firstName %}{{ one }}{% endfor %}",
    "{% set firstName = 'a' %}",
    "{% set x %}a{% endset %}",
    "{% macro m() %}{% endmacro %}",
    "{% call firstName() %}{% endcall %}",
    "{% filter upper %}a{% endfilter %}",
    "{% include 'a' %}",
    "{% import 'a' as a %}",
    "{% from 'a' import b %}",
    "{% extends 'a' %}",
    "{% block a %}{% endblock %}",
    "{% with a = firstName %}{% endwith %}",
    "{% autoescape false %}{{ firstName }}{% endautoescape %}",
    "{% do firstName %}",
    "{% trans %}a{% endtrans %}",
    "{% if firstName.__class__ %}{% endif %}",
    "{% if firstName() %}{% endif %}",
    "{% if firstName == 'a' %}{% endif %}",
    "{% if 9**9**9 %}{% endif %}",
    "{% if firstName %}{{ secret }}{% endif %}",
    "{% if firstName %}{% elif secret %}{% endif %}",
    "{% if firstName %}{% else %}{% for a in b %}{% endfor %}{% endif %}",
    "{{ '\\ud800' }}",
    "{{ firstName|default('\\udfff') }}",
    "{{",
    "{{ }}",
    "{{ firstName",
    "{% if firstName %}",
    "{% endif %}",
    "{# never closed",
    "{{ " + "9" * 5000 + " }}",
    "{% if " + "not " * 50 + "firstName %}{% endif %}",
    "{% if " + "not " * 8000 + "firstName %}{% endif %}",
    "{% if firstName %}" * 11 + "{% endif %}" * 11,
    "{% if firstName %}" * 2000 + "{% endif %}" * 2000,
    "{% if firstName %}" + "{% elif lastName %}" * 2000 + "{% endif %}",
    "{{ " + "(" * 5000 + "firstName" + ")" * 5000 + " }}",
    "{{ firstName" + "|upper" * 5000 + " }}",
    "{{firstName}}" * 2001,
]


@pytest.mark.parametrize("source", ESCAPES, ids=lambda source: source[:40])
def test_whatever_is_more_than_a_known_word_is_refused(source: str) -> None:
    began = time.monotonic()

    with pytest.raises(UnsafeTemplate) as refused:
        check(source)

    assert str(refused.value).endswith(".")
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "source",
    [
        "no word at all, 100 % { } #",
        "{{firstName}}",
        '{{ firstName | default("there") }}',
        "{{ firstName|trim|upper|default('X') }}",
        "{% if firstName and not lastName or email %}a{% elif couponCode %}b{% else %}c{% endif %}",
        "{% raw %}{{ anything.goes() }}{% endraw %}",
        "{# a remark #}",
        '{{ "{{" }}',
    ],
)
def test_known_words_filters_and_ifs_are_accepted(source: str) -> None:
    used = check(source)

    assert used <= set(VARIABLES)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_accepted_or_refused_and_never_an_error(text: str) -> None:
    for source in (text, f"{{{{{text}}}}}", f"{{% {text} %}}"):
        try:
            check(source)
        except UnsafeTemplate:
            continue
        render(Template(subject="", body=source), {})


@pytest.mark.parametrize(
    "body", ["<p>no footer</p>", "{% if firstName %}{{emailFooter}}{% endif %}", "emailFooter"]
)
def test_a_body_without_its_footer_is_refused(body: str) -> None:
    with pytest.raises(UnsafeTemplate, match="emailFooter"):
        check_body(body)


def test_a_body_with_its_footer_is_accepted() -> None:
    check_body(f"<p>{{% if firstName %}}Hi{{% endif %}}</p>{FOOT}")


def test_the_environment_itself_offers_nothing_else() -> None:
    for escaping in (True, False):
        environment = sandbox.environment(escaping=escaping)

        assert environment.globals == {}
        assert environment.tests == {}
        assert set(environment.filters) == FILTERS
        assert environment.loader is None


HOSTILE = [
    '<script>alert("x")</script>',
    "'\"><img src=x onerror=y>",
    "{{ 7*7 }}{% for a in b %}",
    "{{emailFooter}}",
    "Eve\r\nBcc: all@example.com",
    "a\x00b\x07c\u2028d\u2029e\x85f",
    "&amp;&lt;",
    "\u202eevil",
    "Zoë Ḿ 🎉",
]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("key", TEMPLATE_KEYS)
def test_a_hostile_value_is_only_data(key: TemplateKey, value: str) -> None:
    template = DEFAULTS[key]
    names = set(VARIABLES) - {"emailHeader", "emailFooter"}

    made = render(template, dict.fromkeys(names, value))

    assert "49" not in made.html + made.text + made.subject
    assert "<script" not in made.html
    assert "<img" not in made.html
    words = sandbox.check(template.body) & names
    for _ in words:
        assert str(escape(value)) in made.html
    for line in (made.subject, made.preheader):
        assert len(line.splitlines()) == 1
        assert "\x00" not in line


def test_what_is_ours_is_not_escaped_again() -> None:
    made = render(
        Template(subject="s", body=f"<p>{{{{firstName}}}}</p>{FOOT}"),
        {"firstName": "A & B", "emailFooter": "<p>Hooli &amp; Co</p>"},
    )

    assert made.html == "<p>A &amp; B</p><p>Hooli &amp; Co</p>"
    assert made.text == "A & B\n\nHooli & Co\n"


def test_a_text_of_its_own_is_plain_and_shows_the_footer_plainly() -> None:
    made = render(
        Template(subject="s", body=FOOT, text="Hi {{firstName}}\n{{emailFooter}}"),
        {"firstName": "A & B", "emailFooter": '<p><a href="https://x.example/u">Stop</a></p>'},
    )

    assert made.text == "Hi A & B\nStop (https://x.example/u)\n"


def test_an_empty_word_takes_its_default() -> None:
    template = Template(subject="{{firstName|default('there')}}", body=FOOT)

    assert render(template, {}).subject == "there"
    assert render(template, {"firstName": "Ada"}).subject == "Ada"


def test_a_subject_is_one_line_of_bounded_length() -> None:
    made = render(Template(subject="{{firstName}}", body=FOOT), {"firstName": "word\r\n" * 200})

    assert made.subject == ("word " * 200)[:255]


def test_what_becomes_too_long_is_stopped_on_the_way() -> None:
    template = Template(subject="s", body="{{firstName}}" * 1500)

    with pytest.raises(TooLong):
        render(template, {"firstName": "<" * 250})


def test_a_template_is_compiled_once() -> None:
    template = Template(subject="once {{firstName}}", body=FOOT)
    render(template, {})
    before = rendering._compiled.cache_info().misses

    render(template, {"firstName": "again"})

    assert rendering._compiled.cache_info().misses == before


@pytest.mark.parametrize("key", TEMPLATE_KEYS)
def test_each_default_is_a_template_that_could_be_saved(key: TemplateKey) -> None:
    template = DEFAULTS[key]

    check_body(template.body)
    for name in ("subject", "preheader"):
        check(getattr(template, name))
    for name, most in MOST_CHARACTERS.items():
        assert len(getattr(template, name) or "") <= most


@pytest.mark.parametrize("key", TEMPLATE_KEYS)
def test_each_default_reads_well_when_nothing_is_known(key: TemplateKey) -> None:
    made = render(DEFAULTS[key], {"campaignName": "Spring", "shareUrl": "https://x.example/?g=1"})

    assert made.subject
    assert "  " not in made.subject
    assert "None" not in made.html
    assert made.text.startswith("Hi there,\n")
