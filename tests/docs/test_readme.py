"""The commands of the README do what it says they do."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import Stack
from tests.conftest import ROOT, TEMPLATE

README = (ROOT / "README.md").read_text()
_BLOCK = re.compile(r"```(console|python)\n(.*?)```", re.DOTALL)
_BETWEEN = "=== next command ==="
# Ids are drawn anew each time; everything else is just what the README says.
_IDS = re.compile(r'(?<="id":")[a-z0-9]{6}(?=")|(?<=grsf=gavin-)[a-z0-9]{6}')


@pytest.fixture
def readme_stack() -> Iterator[Stack]:
    """What `make run` starts, but for its port and for the demo."""
    with Stack(TEMPLATE, background=True) as started:
        yield started


def _blocks(language: str, heading: str) -> list[str]:
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [text for kind, text in _BLOCK.findall(section) if kind == language]


def _commands(block: str) -> list[tuple[str, str]]:
    """Each command with the output that the README shows for it."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(command, output) for command, _, output in (part.partition("\n") for part in parts)]


def test_the_tour_prints_what_the_readme_shows(readme_stack: Stack) -> None:
    tour = [pair for block in _blocks("console", "Five minutes") for pair in _commands(block)]
    script = f"\necho '{_BETWEEN}'\n".join(command for command, _ in tour)

    ran = subprocess.run(  # the README's own commands
        ["/bin/bash", "-c", script.replace("http://127.0.0.1:3000", readme_stack.url)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    printed = [text.strip() for text in ran.stdout.split(_BETWEEN)]
    shown = [text.strip() for _, text in tour]
    assert len(tour) > 8
    assert [_IDS.sub("ID", text) for text in printed] == [_IDS.sub("ID", text) for text in shown]


def test_the_sdk_example_prints_the_credit(readme_stack: Stack) -> None:
    (example,) = _blocks("python", "Five minutes")

    ran = subprocess.run(
        [sys.executable, "-c", example.replace("http://127.0.0.1:3000", readme_stack.url)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert ran.stdout == "1\n"


def test_the_account_and_key_commands_exist() -> None:
    (block,) = _blocks("console", "Accounts and keys")

    for command, _ in _commands(block):
        _, noun, verb, *_ = command.split()
        ran = subprocess.run(
            [Path(sys.executable).parent / "grapevine", noun, verb, "--help"],
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, command


def test_every_file_that_the_readme_links_to_exists() -> None:
    linked = re.findall(r"\]\(([^)#:]+)\)", README)

    assert linked
    assert [name for name in linked if not (ROOT / name).exists()] == []
