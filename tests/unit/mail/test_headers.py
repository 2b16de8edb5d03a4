from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grapevine.engine.mail import headers

INJECTION = "=?utf-8?q?=0D=0ABcc:_victim@example.com?="
LINES = st.text(max_size=300).map(headers.one_line)


def decoded(raw: bytes, name: str) -> str:
    """What a mail program shows of a header."""
    value = message_from_bytes(raw + b"\r\n")[name]
    return str(make_header(decode_header(value)))


@given(LINES)
@example(INJECTION)
@example(f"Hi {INJECTION} x")
@example("x" * 300)
@example("é" * 255)
@example("a " * 100)
def test_any_subject_arrives_as_it_was_and_is_one_header(text: str) -> None:
    raw = headers.folded("Subject", text)

    message = message_from_bytes(raw + b"\r\nbody", policy=policy.SMTP)

    assert list(message) == ["Subject"]
    assert raw.isascii()
    # A line may only be longer than it should be where there is no place to break it.
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert re.sub(r"\s", "", decoded(raw, "Subject")) == re.sub(r"\s", "", text)


@given(LINES)
@example(INJECTION)
@example('"Eve" <eve@example.com>,')
@example('a\\"b')
@example("漢" * 100)
def test_any_name_stands_before_the_address_and_adds_no_other(name: str) -> None:
    text = headers.address(name, "friends@example.com")

    message = message_from_bytes(
        headers.unfolded("From", text) + b"\r\n", policy=policy.default.clone(max_line_length=None)
    )

    assert text.isascii()
    shown, spec = parseaddr(text)
    assert spec == "friends@example.com"
    assert list(message) == ["From"]
    encoded = str(make_header(decode_header(shown)))
    assert re.sub(r"\s", "", encoded) == re.sub(r"\s", "", name)


@pytest.mark.parametrize("text", ["a\r\nb", "a\nBcc: x", "a\rb", "a\x00b", "é"])
def test_what_is_not_ascii_in_one_line_is_refused_unfolded(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a header|ordinal"):
        headers.unfolded("List-Unsubscribe", text)


@given(st.text(max_size=50))
@example("a\r\nb\rc\nd\te\x00\x1b\ud800")
def test_what_is_left_of_a_text_has_breaks_and_tabs_and_no_other_controls(text: str) -> None:
    left = headers.clean(text)

    assert "\r" not in left
    left.encode()  # no half of a surrogate pair
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", left)
    assert headers.clean(left) == left
