"""Event queue: does in the games what follows from an event or a credit, one item per message."""

from grapevine.consume import queue_consumer
from grapevine.engine.mechanics.taking import taker
from grapevine.http.gamifyhost import event_body

handler = queue_consumer(taker(event_body))
