"""Table stream: tells of changes as webhook events, e-mails and log lines, and hands out what is to
follow from them in games and months."""

from grapevine.consume import stream_consumer
from grapevine.engine import relaying

handler = stream_consumer(parse=relaying.told_by, group=relaying.owner_of, handle=relaying.relay)
