"""The template as AWS will see it: SAM resources expanded offline into CloudFormation ones."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.names import REGION

Resource = dict[str, Any]

_PLACEHOLDER = "s3://local/code"


@dataclass(frozen=True, slots=True)
class Expansion:
    """The expanded document, and where the source folder of each function lies."""

    document: dict[str, Any]
    code: Mapping[str, Path]


def expand(template: Path, parameters: Mapping[str, str]) -> Expansion:
    """Expand a template with `parameters` over its defaults. The result must not be changed."""
    return _expand(
        template.resolve(), template.stat().st_mtime_ns, tuple(sorted(parameters.items()))
    )


@functools.lru_cache(maxsize=8)
def _expand(template: Path, _changed_ns: int, parameters: tuple[tuple[str, str], ...]) -> Expansion:
    # Imported here: the translator takes longer to import than all the rest of the stack.
    from boto3 import Session
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator
    from samtranslator.yaml_helper import yaml_parse

    source: dict[str, Any] = yaml_parse(template.read_text(encoding="utf-8"))
    code = _take_local_paths(source, template.parent)
    # The translator wants a region, and a session that never asks the machine for credentials.
    session = Session(region_name=REGION, aws_access_key_id="local", aws_secret_access_key="local")
    document: dict[str, Any] = Translator(
        managed_policy_map={}, sam_parser=Parser(), boto_session=session
    ).translate(sam_template=copy.deepcopy(source), parameter_values=dict(parameters))
    return Expansion(document, code)


def _take_local_paths(source: dict[str, Any], folder: Path) -> dict[str, Path]:
    """Put S3 addresses where local paths stand, which the translator does not accept."""
    shared = source.get("Globals", {}).get("Function", {}).get("CodeUri", ".")
    code: dict[str, Path] = {}
    for logical_id, resource in source["Resources"].items():
        properties = resource.setdefault("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            code[logical_id] = folder / properties.get("CodeUri", shared)
            properties["CodeUri"] = _PLACEHOLDER
        elif resource["Type"] == "AWS::Serverless::LayerVersion":
            properties["ContentUri"] = _PLACEHOLDER
    return code
