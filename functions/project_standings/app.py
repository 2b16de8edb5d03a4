"""Table stream: keeps each campaign's totals from the changes of its participants' standings."""

from grapevine.consume import stream_consumer
from grapevine.engine import totals

handler = stream_consumer(
    parse=totals.contribution, group=totals.campaign_of, handle=totals.project
)
