"""Due queue: does the work that the sweep has handed out, one item per message."""

from grapevine.consume import queue_consumer
from grapevine.engine import due

handler = queue_consumer(due.settle)
