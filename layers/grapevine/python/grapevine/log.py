"""The log: JSON lines with ids, never with bodies, e-mail addresses or secrets."""

from __future__ import annotations

import functools
import traceback

from aws_lambda_powertools.logging import Logger


@functools.cache
def logger() -> Logger:
    return Logger()


def log_defect(error: BaseException) -> None:
    """Where it happened, without the message: a message may quote what a person sent."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    logger().error("defect", errorType=type(error).__name__, traceback=frames)
