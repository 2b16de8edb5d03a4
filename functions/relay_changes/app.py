"""Table stream: makes webhook events and their deliveries of changes that are events."""

from grapevine.consume import stream_consumer
from grapevine.engine.webhooks import relay, transitions

handler = stream_consumer(
    parse=transitions.transition_in, group=relay.campaign_of, handle=relay.relay
)
