"""Header lines with what people wrote, as ASCII that means exactly that text.

They are written here and not by `EmailMessage`: that takes text that looks like an encoded word
(`=?utf-8?q?=0D=0ABcc:…?=`) for one, decodes it, and writes what was inside: another header.
"""

from __future__ import annotations

import unicodedata
from email.header import Header
from email.utils import quote

_LINE = 76


def unfolded(name: str, value: str) -> bytes:
    """A header in one line, whose value is ASCII that nobody wrote: a link, a fixed text, an
    address. A link must not be broken, however long.

    Raises:
        ValueError: it has a line break, or is not ASCII.
    """
    if not value.isprintable():
        raise ValueError(f"not a header: {name}")
    return f"{name}: {value}{_BREAK}".encode("ascii")


def folded(name: str, text: str) -> bytes:
    """A header with any text, in lines that are not too long."""
    header = Header(text, _charset(text), maxlinelen=_LINE, header_name=name)
    return f"{name}: {header.encode(linesep=_BREAK)}{_BREAK}".encode("ascii")


def address(display_name: str, addr_spec: str) -> str:
    """`Name <a@example.com>` in one line of ASCII; without a name only the address."""
    name = one_line(display_name)
    if not name:
        return addr_spec
    if _charset(name) == "us-ascii":
        return f'"{quote(name)}" <{addr_spec}>'
    # An encoded word has at most 75 characters: several of them, with spaces between.
    words = Header(name, "utf-8", maxlinelen=_LINE).encode(linesep="")
    return f"{words} <{addr_spec}>"


def one_line(text: str) -> str:
    return " ".join(clean(text).split())


def clean(text: str) -> str:
    """Without what no mail may hold: control characters but breaks, half surrogate pairs."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()
    return "".join(
        one for one in text if one in "\n\t" or unicodedata.category(one) not in {"Cc", "Cs"}
    )


_BREAK = "\r\n"


def _charset(text: str) -> str:
    return "us-ascii" if text.isascii() and "=?" not in text else "utf-8"
