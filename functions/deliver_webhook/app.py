"""Webhook queue: one attempt to deliver an event per message."""

from grapevine.consume import queue_consumer
from grapevine.engine.webhooks.deliver import deliver

handler = queue_consumer(deliver)
