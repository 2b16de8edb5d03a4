"""How whoever waits for a rebuild learns how far it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with the step, and with how many of how many participants it has been done for."""
