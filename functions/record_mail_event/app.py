"""Mail event queue: notes what SES tells of one e-mail per message."""

from grapevine.consume import queue_consumer
from grapevine.engine.mail.events import record

handler = queue_consumer(record)
