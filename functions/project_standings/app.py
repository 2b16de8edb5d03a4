"""Table stream: keeps each campaign's ranks and totals from the changes of its participants."""

from grapevine.consume import stream_consumer
from grapevine.engine import projection

handler = stream_consumer(
    parse=projection.projected, group=projection.campaign_of, handle=projection.project
)
