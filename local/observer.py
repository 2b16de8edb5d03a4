"""Watches the clients that handlers use: records, meters, and kills on order."""

from __future__ import annotations

from typing import Any

from local import invocation
from local.metering import Cost, Images, Meter
from local.names import Names
from local.permissions import permissions

_SEEN = "grapevine-local"


class Observer:
    """Attaches to botocore clients by their events; calls outside an invocation pass unseen."""

    def __init__(self, names: Names, meter: Meter) -> None:
        self._names = names
        self._meter = meter

    def attach(self, client: Any) -> Any:
        service = client.meta.service_model.service_name
        client.meta.events.register(f"before-parameter-build.{service}", self._before)
        client.meta.events.register(f"after-call.{service}", self._after)
        return client

    def _before(
        self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any
    ) -> None:
        running = invocation.current()
        if running is None:
            return
        service = model.service_model.service_name
        running.starts_call(permissions(self._names, service, model.name, params))
        if service != "dynamodb":
            return
        if "ReturnConsumedCapacity" in model.input_shape.members:
            params["ReturnConsumedCapacity"] = "INDEXES"
        context[_SEEN] = (dict(params), self._meter.before(model.name, params))

    def _after(self, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        running = invocation.current()
        if running is None:
            return
        cost = Cost()
        seen: tuple[dict[str, Any], Images] | None = context.pop(_SEEN, None)
        if seen is not None:
            parameters, before = seen
            cost = self._meter.cost(model.name, parameters, parsed, before)
        running.ends_call(*cost)
