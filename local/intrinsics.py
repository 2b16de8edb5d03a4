"""CloudFormation's intrinsic functions and conditions, resolved to local values."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

NO_VALUE = object()
_SUB_VARIABLE = re.compile(r"\$\{(!?)([^}]+)\}")


class UnresolvedReference(ValueError):
    """The template names something that it does not declare."""


class Resolver:
    """Resolves any value of one template.

    `attribute(logical_id, name)` answers Ref (name is None) and Fn::GetAtt for resources;
    `variables` holds the parameters and pseudo parameters.
    """

    def __init__(
        self,
        document: Mapping[str, Any],
        variables: Mapping[str, Any],
        attribute: Callable[[str, str | None], str],
    ) -> None:
        self._mappings: Mapping[str, Any] = document.get("Mappings", {})
        self._conditions: Mapping[str, Any] = document.get("Conditions", {})
        self._variables = variables
        self._attribute = attribute

    def resolve(self, value: Any) -> Any:
        """The value with every intrinsic function replaced; AWS::NoValue drops its key."""
        if isinstance(value, list):
            return [each for each in map(self.resolve, value) if each is not NO_VALUE]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            function = _FUNCTIONS.get(name)
            if function is not None:
                return function(self, argument)
        resolved = ((key, self.resolve(each)) for key, each in value.items())
        return {key: each for key, each in resolved if each is not NO_VALUE}

    def holds(self, condition: str) -> bool:
        if condition not in self._conditions:
            raise UnresolvedReference(f"condition {condition}")
        return bool(self.resolve(self._conditions[condition]))

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self._variables:
            return self._variables[name]
        return self._attribute(name, None)

    def _get_att(self, argument: str | list[str]) -> str:
        path = argument.split(".", 1) if isinstance(argument, str) else argument
        return self._attribute(path[0], ".".join(path[1:]))

    def _sub(self, argument: str | list[Any]) -> str:
        text, local = (argument, {}) if isinstance(argument, str) else argument

        def replace(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in local:
                return str(self.resolve(local[name]))
            if "." in name:
                return self._get_att(name)
            return str(self._ref(name))

        return _SUB_VARIABLE.sub(replace, text)

    def _join(self, argument: list[Any]) -> str:
        separator, parts = argument
        return str(separator).join(str(part) for part in self.resolve(parts))

    def _select(self, argument: list[Any]) -> Any:
        index, values = argument
        return self.resolve(values)[int(self.resolve(index))]

    def _split(self, argument: list[Any]) -> list[str]:
        separator, text = argument
        return str(self.resolve(text)).split(separator)

    def _if(self, argument: list[Any]) -> Any:
        condition, then, otherwise = argument
        return self.resolve(then if self.holds(condition) else otherwise)

    def _find_in_map(self, argument: list[Any]) -> Any:
        mapping, first, second = map(self.resolve, argument)
        return self._mappings[mapping][first][second]

    def _equals(self, argument: list[Any]) -> bool:
        left, right = map(self.resolve, argument)
        return str(left) == str(right)

    def _not(self, argument: list[Any]) -> bool:
        return not self.resolve(argument[0])

    def _and(self, argument: list[Any]) -> bool:
        return all(self.resolve(each) for each in argument)

    def _or(self, argument: list[Any]) -> bool:
        return any(self.resolve(each) for each in argument)

    def _base64(self, argument: Any) -> str:
        return base64.b64encode(str(self.resolve(argument)).encode()).decode()

    def _condition(self, argument: Any) -> Any:
        # Both a reference to a condition and the block of an IAM statement have this name.
        if isinstance(argument, str):
            return self.holds(argument)
        return {"Condition": self.resolve(argument)}


_FUNCTIONS: dict[str, Callable[[Resolver, Any], Any]] = {
    "Ref": Resolver._ref,
    "Fn::GetAtt": Resolver._get_att,
    "Fn::Sub": Resolver._sub,
    "Fn::Join": Resolver._join,
    "Fn::Select": Resolver._select,
    "Fn::Split": Resolver._split,
    "Fn::If": Resolver._if,
    "Fn::FindInMap": Resolver._find_in_map,
    "Fn::Equals": Resolver._equals,
    "Fn::Not": Resolver._not,
    "Fn::And": Resolver._and,
    "Fn::Or": Resolver._or,
    "Fn::Base64": Resolver._base64,
    "Condition": Resolver._condition,
}
