"""The plain text of a simple HTML message: what somebody reads whose program shows no HTML.

The rule is small: blocks become lines, items of lists get a dash, a link shows its address behind
its words, an image its alternative text. What is not shown in a browser is left out. It knows
nothing of tables and styles; who wants more writes a text of their own.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tr",
        "ul",
    ]
)
_APART = frozenset(["blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "table", "ul"])
_HIDDEN = frozenset(["head", "script", "style", "template", "title"])


def plain_text(html: str) -> str:
    """Ends with one line break; empty for nothing."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = [" ".join(line.split(" ")).strip() for line in "".join(reader.parts).split("\n")]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    return f"{text}\n" if text else ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag == "br":
            self.parts.append("\n")
        elif tag == "img":
            self._write(given.get("alt") or "")
        elif tag == "a":
            self._links.append((given.get("href") or "", len(self.parts)))
        elif tag in _BLOCKS:
            self._break(tag)
            if tag == "li":
                self.parts.append("- ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(self._hidden - 1, 0)
        elif tag == "a" and self._links:
            address, began = self._links.pop()
            words = "".join(self.parts[began:]).strip()
            if address.startswith(("http://", "https://", "?")) and address != words:
                self.parts.append(f" ({address})" if words else address)
        elif tag in _BLOCKS:
            self._break(tag)

    def handle_data(self, data: str) -> None:
        self._write(re.sub(r"\s+", " ", data))

    def _write(self, text: str) -> None:
        if not self._hidden:
            before = self.parts[-1][-1:] if self.parts else "\n"
            self.parts.append(text.lstrip(" ") if before in {"\n", " "} else text)

    def _break(self, tag: str) -> None:
        if self._hidden:
            return
        if tag in _APART:
            self.parts.append("\n\n")
        elif self.parts and not self.parts[-1].endswith("\n"):
            self.parts.append("\n")
