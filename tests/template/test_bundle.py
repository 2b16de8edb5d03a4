"""Folders, template, routes and sample events say the same, and the template stays readable."""

from __future__ import annotations

import ast
import re

import pytest
import yaml
from yaml.nodes import MappingNode, Node

from grapevine.http.endpoint import Endpoint
from local.declarations import EventSource, Route, Schedule
from tests.template import bundle
from tests.template.bundle import ROOT, TEMPLATE

FUNCTION_IDS = sorted(bundle.declarations().functions)
SECTION = re.compile(r"^  # --- (.+?) -*$", re.MULTILINE)


def _blocks() -> dict[str, tuple[Node, Node]]:
    """Every resource's name and body in the template, with their places."""
    document = yaml.compose(TEMPLATE.read_text(encoding="utf-8"), yaml.SafeLoader)
    assert isinstance(document, MappingNode)
    sections = {key.value: body for key, body in document.value}
    return {key.value: (key, body) for key, body in sections["Resources"].value}


def test_each_folder_is_a_function_of_the_template_and_the_other_way_round() -> None:
    declared = {bundle.folder_of(each) for each in FUNCTION_IDS}

    assert declared == bundle.function_folders()


def test_each_function_has_one_sample_event_and_no_event_is_left_over() -> None:
    events = {path.stem for path in (ROOT / "events").glob("*.json")}

    assert events == bundle.function_folders()


def test_each_function_is_called_by_a_route_a_stream_a_queue_or_a_schedule() -> None:
    declared = bundle.declarations()

    callers: list[Route | EventSource | Schedule] = [
        *declared.routes,
        *declared.stream_mappings,
        *declared.queue_mappings,
        *declared.schedules,
    ]

    assert sorted(each.function_id for each in callers) == FUNCTION_IDS


@pytest.mark.parametrize("function_id", FUNCTION_IDS)
def test_a_function_lies_in_the_folder_that_it_is_named_after(function_id: str) -> None:
    function = bundle.declarations().functions[function_id]

    assert function_id.endswith("Function")
    assert function.folder == ROOT / "functions" / bundle.folder_of(function_id)
    assert function.handler == "app.handler"


@pytest.mark.parametrize("function_id", FUNCTION_IDS)
def test_a_function_takes_twelve_lines_of_the_template_at_most(function_id: str) -> None:
    _, body = _blocks()[function_id]

    # A block ends where the next token begins: comments and blank lines behind it do not count.
    lines = TEMPLATE.read_text(encoding="utf-8").splitlines()
    block = lines[body.start_mark.line - 1 : body.end_mark.line]
    while not block[-1].strip() or block[-1].lstrip().startswith("#"):
        block.pop()

    assert block[0].strip() == f"{function_id}:"
    assert len(block) <= 12


@pytest.mark.parametrize("function_id", FUNCTION_IDS)
def test_a_function_is_not_built_on_its_own(function_id: str) -> None:
    assert bundle.source()["Resources"][function_id]["Metadata"] == {"SkipBuild": True}


@pytest.mark.parametrize("route", bundle.declarations().routes, ids=lambda route: route.function_id)
def test_the_sample_event_of_a_route_is_a_request_to_it(route: Route) -> None:
    event = bundle.event(bundle.folder_of(route.function_id))

    if route.path == "$default":
        assert event["routeKey"] == "$default"
    else:
        assert event["routeKey"] == f"{route.method} {route.path}"
        assert event["requestContext"]["http"]["method"] == route.method
    assert event["version"] == "2.0"
    assert event["requestContext"]["routeKey"] == event["routeKey"]
    named = re.findall(r"{(\w+)}", route.path)
    assert sorted(event.get("pathParameters", {})) == sorted(named)


@pytest.mark.parametrize("route", bundle.declarations().routes, ids=lambda route: route.function_id)
def test_a_handler_names_the_route_that_the_template_gives_it(route: Route) -> None:
    handler = bundle.handler(bundle.folder_of(route.function_id))

    if route.path == "$default":
        assert not isinstance(handler, Endpoint)
    else:
        assert handler.route == f"{route.method} {route.path}"


def test_the_sections_of_the_template_stand_in_reading_order() -> None:
    sections = SECTION.findall(TEMPLATE.read_text(encoding="utf-8"))

    assert [each for each in sections if not each.startswith("Functions: ")] == [
        "API",
        "Code and logs that all functions share",
        "Streams",
        "Queues",
        "Schedules",
        "Table",
        "Alarms",
    ]


@pytest.mark.parametrize("folder", sorted(bundle.function_folders()))
def test_no_handler_imports_another(folder: str) -> None:
    tree = ast.parse((ROOT / "functions" / folder / "app.py").read_bytes())

    imported = {module.split(".")[0] for node in ast.walk(tree) for module in _imported(node)}

    assert not imported & {"functions", "app", *bundle.function_folders()}


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return []
