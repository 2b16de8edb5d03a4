"""What stops a command of `grapevine`, with a message for the person who typed it."""


class Refused(Exception):
    """The command cannot do what it was asked; the message says what to change."""
