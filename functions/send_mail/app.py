"""Mail queue: sends one e-mail per message."""

from grapevine.consume import queue_consumer
from grapevine.engine.mail.deliver import send

handler = queue_consumer(send)
