"""Moto's DynamoDB handler with a short cut where it spends most of its time: writing values.

Moto looks for each of the ten kinds of an attribute value under several names, for every
attribute of every item. A value that is one plain pair is written as it stands here.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionContext, ActionResult
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.responses import DynamoHandler

_PLAIN = frozenset({"S", "N", "BOOL", "NULL", "SS", "NS"})


class QuickHandler(DynamoHandler):
    def serialized(self, action_result: ActionResult) -> Any:
        return super().serialized(_QuickResult(action_result))


class _QuickResult(ActionResult):
    def __init__(self, inner: ActionResult) -> None:
        super().__init__(inner.result)
        self._inner = inner

    def execute_result(self, context: ActionContext) -> Any:
        usual: Any = context.serializer_class
        if usual not in _quick_serializers:
            _quick_serializers[usual] = _quick(usual)
        context.serializer_class = _quick_serializers[usual]
        return self._inner.execute_result(context)


_quick_serializers: dict[Any, type[Any]] = {}


def _quick(serializer: Any) -> type[Any]:
    """A subclass of whichever serializer moto chose for the request's protocol."""

    class Quick(serializer):  # type: ignore[misc]  # only known when moto has chosen it
        def _serialize_type_structure(
            self, serialized: Any, value: Any, shape: Any, key: str
        ) -> None:
            plain = _plain(value) if shape.name == "AttributeValue" else None
            if plain is None:
                super()._serialize_type_structure(serialized, value, shape, key)
            elif key:
                self._default_serialize(serialized, plain, shape, key)
            else:
                serialized.update(plain)

    return Quick


def _plain(value: Any) -> dict[str, Any] | None:
    if isinstance(value, DynamoType):
        return {value.type: value.value} if value.type in _PLAIN else None
    if isinstance(value, dict) and len(value) == 1 and value.keys() <= _PLAIN:
        return value
    return None
