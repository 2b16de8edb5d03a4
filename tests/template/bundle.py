"""The bundle as the tests of this folder look at it: the template and the folders beside it."""

from __future__ import annotations

import importlib.util
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from local import template
from local.declarations import Declarations
from local.names import Names

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"


@cache
def declarations() -> Declarations:
    """The template, expanded by the SAM translator, with every reference resolved."""
    return template.read(TEMPLATE, Names("bundle", "123456789012"))


@cache
def source(path: Path = TEMPLATE) -> dict[str, Any]:
    """A template as it is written, with intrinsic functions in their long form."""
    parsed: dict[str, Any] = yaml_parse(path.read_text(encoding="utf-8"))
    return parsed


def folder_of(function_id: str) -> str:
    """`GetCampaignFunction` is `get_campaign`."""
    name = function_id.removesuffix("Function")
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def function_folders() -> set[str]:
    return {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}


def handler(folder: str) -> Any:
    """The function's handler, imported under a name of its own as Lambda would import it."""
    spec = importlib.util.spec_from_file_location(
        f"bundled_{folder}", ROOT / "functions" / folder / "app.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.handler


def event(folder: str) -> dict[str, Any]:
    """The function's sample event."""
    parsed: dict[str, Any] = json.loads((ROOT / "events" / f"{folder}.json").read_bytes())
    return parsed
