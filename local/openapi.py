"""Writes the OpenAPI document from what the handlers declare: `python -m local.openapi`.

With `--check` it writes nothing and fails when the document in `docs/` is out of date.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from grapevine.http.endpoint import Endpoint, Nothing
from grapevine.http.public import PublicEndpoint
from local.openapi_dialects import GROWSURF, SECURITY_SCHEMES, Described, described

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "openapi.json"

_PARAMETERS = {
    "id": "The campaign's id",
    "eventId": "The event's id, as ledgers and wins name it",
    "slug": "The campaign's slug",
    "userId": "The player's id, as its events name it",
    "participant": "The participant's id or e-mail address",
    "rewardId": "The id of the campaign's reward, or of the earned one where it is earned",
    "webhookId": "The webhook's id",
    "deliveryId": "The delivery's id",
    "month": "A month in UTC, like 2026-11",
    "campaignId": "The campaign's id",
    "key": "The participant's id or one of its vanity keys",
    "token": "Who is to be unsubscribed, as the link in an e-mail says it",
    "action": "`impression` or `share`",
}
_SUCCESSES = {200: "Done", 204: "Leave is given", 302: "On to the campaign's share URL"}
_FOREIGN_PAGE = "The page is of none of the campaign's origins"
_BY_BROWSERS = "Called by visitors' browsers, without an API key."

AnyEndpoint = Endpoint[Any, Any, Any] | PublicEndpoint[Any, Any]


class _WithoutTitles(GenerateJsonSchema):
    """A field's name says what a made-up title would say again."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - pydantic's hook
        return False


def endpoints() -> Iterator[tuple[str, str, AnyEndpoint]]:
    """Each endpoint with its operation id and its summary, in the order of the folders."""
    for path in sorted((ROOT / "functions").glob("*/app.py")):
        verb_noun = path.parent.name
        spec = importlib.util.spec_from_file_location(f"openapi_{verb_noun}", path)
        if spec is None or spec.loader is None:
            raise ImportError(str(path))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if isinstance(module.handler, Endpoint | PublicEndpoint):
            summary = (module.__doc__ or "").split(": ", 1)[1].strip()
            yield verb_noun, summary, module.handler


def document(found: Sequence[tuple[str, str, AnyEndpoint]]) -> dict[str, Any]:
    """The whole document, the same for the same `endpoints`."""
    names, components = _schemas([endpoint for _, _, endpoint in found])
    paths: dict[str, dict[str, Any]] = {}
    for verb_noun, summary, endpoint in found:
        method, path = endpoint.route.split(" ")
        described = (
            _public_operation(endpoint, names)
            if isinstance(endpoint, PublicEndpoint)
            else _operation(endpoint, names)
        )
        paths.setdefault(path, {})[method.lower()] = {
            "operationId": verb_noun,
            "summary": summary[0].upper() + summary[1:],
            **described,
        }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Grapevine",
            "version": "2",
            "description": "The GrowSurf REST API v2, served from your own AWS account.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"apiKey": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


Names = dict[Any, str]


def _schemas(found: list[AnyEndpoint]) -> tuple[Names, dict[str, Any]]:
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = [(GROWSURF.error, "serialization")]
    for endpoint in found:
        if isinstance(endpoint, Endpoint):
            wanted.append((described(endpoint.dialect).error, "serialization"))
        if endpoint.response is not None:
            wanted.append((endpoint.response, "serialization"))
        if endpoint.body is not Nothing:
            wanted.append((endpoint.body, "validation"))
    references, definitions = models_json_schema(
        list(dict.fromkeys(wanted)),
        ref_template="#/components/schemas/{model}",
        schema_generator=_WithoutTitles,
    )
    names = {model: value["$ref"] for model, value in references.items()}
    return names, definitions["$defs"]


def _operation(endpoint: Endpoint[Any, Any, Any], names: Names) -> dict[str, Any]:
    _, path = endpoint.route.split(" ")
    api = described(endpoint.dialect)
    success = api.success({"$ref": names[endpoint.response, "serialization"]})
    operation: dict[str, Any] = {
        "description": f"The API key needs the scope `{endpoint.scope}`.",
        **({} if api is GROWSURF else {"security": api.security}),
        "parameters": [
            *_path_parameters(path),
            *_query_parameters(endpoint.query),
            *api.header_parameters(endpoint),
        ],
        "responses": {
            "200": {"description": "Done", "content": {"application/json": {"schema": success}}},
            **_refusals(api, api.statuses(endpoint), names),
        },
    }
    if endpoint.body is not Nothing:
        schema = {"$ref": names[endpoint.body, "validation"]}
        content = {media_type: {"schema": schema} for media_type in api.media_types}
        operation["requestBody"] = {"content": content}
    return operation


def _public_operation(endpoint: PublicEndpoint[Any, Any], names: Names) -> dict[str, Any]:
    _, path = endpoint.route.split(" ")
    done: dict[str, Any] = {"description": _SUCCESSES[endpoint.status]}
    if endpoint.response is not None:
        done["content"] = _json(endpoint.response, names)
    statuses = {str(status) for status in endpoint.refusals}
    operation: dict[str, Any] = {
        "description": _BY_BROWSERS,
        "security": [],
        "parameters": [*_path_parameters(path), *_query_parameters(endpoint.query)],
        "responses": {str(endpoint.status): done},
    }
    if endpoint.body is not Nothing:
        statuses |= {"400", "413", "415"}
        schema = {"$ref": names[endpoint.body, "validation"]}
        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    operation["responses"] |= _refusals(GROWSURF, statuses, names)
    if "403" in statuses:
        operation["responses"]["403"]["description"] = _FOREIGN_PAGE
    return operation


def _json(model: type[BaseModel], names: Names) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": names[model, "serialization"]}}}


def _refusals(api: Described, statuses: set[str], names: Names) -> dict[str, Any]:
    return {
        status: {"description": why, "content": _json(api.error, names)}
        for status, why in api.refusals.items()
        if status in statuses
    }


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PARAMETERS[name],
            "schema": {"type": "string"},
        }
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query_parameters(query: type[BaseModel]) -> list[dict[str, Any]]:
    schema = query.model_json_schema(by_alias=True, schema_generator=_WithoutTitles)
    return [
        {"name": name, "in": "query", "required": False, "schema": shape}
        for name, shape in schema.get("properties", {}).items()
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if the document is out of date")
    check: bool = parser.parse_args().check
    text = json.dumps(document(list(endpoints())), indent=2, ensure_ascii=False) + "\n"
    if not check:
        DOCUMENT.write_text(text)
        return 0
    if not DOCUMENT.exists() or DOCUMENT.read_text() != text:
        sys.stderr.write(f"{DOCUMENT.relative_to(ROOT)} is out of date: run `make openapi`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
