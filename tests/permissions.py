"""What the functions of a stack asked of AWS, beside what their roles in the template allow.

IAM does not exist on this machine, so the two are compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from local.declarations import Declarations
from local.invocation import Call


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def resources(declared: Declarations) -> set[str]:
    """Every ARN that a statement of this template can mean."""
    found = {queue.arn for queue in declared.queues.values()}
    for table in declared.tables.values():
        indexes = [
            *table.request.get("LocalSecondaryIndexes", ()),
            *table.request.get("GlobalSecondaryIndexes", ()),
        ]
        found |= {table.arn, *(f"{table.arn}/index/{each['IndexName']}" for each in indexes)}
        if table.stream_arn:
            found.add(table.stream_arn)
    return found


def allowed(statements: tuple[Mapping[str, Any], ...], known: set[str]) -> set[Call]:
    """The statements as single permissions; a resource that is nowhere stays as it is written."""
    found: set[Call] = set()
    for statement in statements:
        assert statement["Effect"] == "Allow"
        assert not {"NotAction", "NotResource", "Condition"} & set(statement)
        for pattern in listed(statement["Resource"]):
            meant = {each for each in known if fnmatchcase(each, pattern)} or {pattern}
            found |= {(action, each) for action in listed(statement["Action"]) for each in meant}
    return found


def denied(declared: Declarations, calls: Mapping[str, set[Call]]) -> dict[str, set[Call]]:
    """Those of the calls that AWS would not have let the functions make, by the function."""
    known = resources(declared)
    beyond = {
        function_id: made - allowed(declared.functions[function_id].statements, known)
        for function_id, made in calls.items()
        if made
    }
    return {function_id: made for function_id, made in beyond.items() if made}
