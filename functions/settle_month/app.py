"""Settlement queue: takes the final standings of a closed month and gives its rewards."""

from grapevine.consume import queue_consumer
from grapevine.engine.month_end.settle import settle

handler = queue_consumer(settle)
