"""Table stream: makes webhook events of changes that are events, and has closed months settled."""

from grapevine.consume import stream_consumer
from grapevine.engine import relaying

handler = stream_consumer(parse=relaying.told_by, group=relaying.campaign_of, handle=relaying.relay)
