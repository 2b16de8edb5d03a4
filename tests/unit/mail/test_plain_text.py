from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grapevine.engine.mail.templates.plain import plain_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("just words", "just words\n"),
        ("<p>one</p><p>two</p>", "one\n\ntwo\n"),
        ("<p>one\n  line</p>", "one line\n"),
        ("a<br>b<br/>c", "a\nb\nc\n"),
        ("<div>a</div><div>b</div>", "a\nb\n"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b\n"),
        ("<b>bold</b> and <i>not</i>", "bold and not\n"),
        (
            '<a href="https://x.example/?a=1&amp;b=2">here</a>',
            "here (https://x.example/?a=1&b=2)\n",
        ),
        ('<a href="https://x.example/">https://x.example/</a>', "https://x.example/\n"),
        ('<a href="https://x.example/"></a>', "https://x.example/\n"),
        ('<a href="javascript:alert(1)">here</a>', "here\n"),
        ('<img src="x" alt="Logo">', "Logo\n"),
        ("<style>p {}</style><script>x</script><p>shown</p>", "shown\n"),
        ("&lt;script&gt; &amp; co", "<script> & co\n"),
        ("<p>un<b>closed", "unclosed\n"),
        ("</p></style></a>", ""),
    ],
)
def test_simple_html_reads_as_text(html: str, text: str) -> None:
    assert plain_text(html) == text


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="<>/ab\"'&;=! \n-p", max_size=200))
def test_any_markup_becomes_some_text(html: str) -> None:
    text = plain_text(html)

    assert text == "" or text.endswith("\n")
