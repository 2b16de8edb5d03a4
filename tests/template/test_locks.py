"""The lock files are complete, name no place to fetch from, and agree with each other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.template.bundle import ROOT

RUN = ROOT / "requirements" / "run.txt"
DEV = ROOT / "requirements" / "dev.txt"
SAM = ROOT / "requirements" / "sam.txt"
LAYER = ROOT / "layers" / "dependencies" / "requirements.txt"

_PINNED = re.compile(r"^([a-z0-9._-]+)==(\S+)(?: ; (.+?))? \\$")


def _locked(path: Path) -> set[tuple[str, str]]:
    """Names with their versions and markers."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = (_PINNED.match(line) for line in lines)
    return {(match[1], f"{match[2]} {match[3] or ''}") for match in found if match}


def _asked_for() -> set[str]:
    return set((LAYER.parent / "requirements.in").read_text(encoding="utf-8").split())


@pytest.mark.parametrize("path", [RUN, DEV, SAM, LAYER], ids=lambda path: path.name)
def test_a_lock_file_holds_versions_and_hashes_and_nothing_else(path: Path) -> None:
    allowed = re.compile(
        r"#.*|\s+#.*|\s+--hash=sha256:[0-9a-f]{64}(?: \\)?|" + _PINNED.pattern.strip("^$")
    )

    strange = [
        line
        for line in path.read_text(encoding="utf-8").splitlines()
        if line and not allowed.fullmatch(line)
    ]

    assert _locked(path)
    assert strange == []


@pytest.mark.parametrize("path", [RUN, DEV, SAM, LAYER], ids=lambda path: path.name)
def test_a_lock_file_names_no_host_and_no_folder_of_a_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert not re.search(r"https?:|file:|index-url|find-links|(?<![\w.])/\w", text)


def test_tests_run_on_the_versions_that_run_runs_on() -> None:
    assert _locked(RUN) <= _locked(DEV)


def test_lambda_gets_the_versions_that_the_local_stack_runs_on() -> None:
    assert _locked(LAYER) <= _locked(RUN)


def test_the_layer_is_what_the_project_asks_for_except_what_lambda_has_itself() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert _asked_for() < set(project["dependencies"])
    assert not {"boto3", "botocore"} & {name for name, _ in _locked(LAYER)}
