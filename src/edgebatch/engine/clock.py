"""Time as a replay sees it: that of the wall, or one that a test turns."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Seconds since some start."""

    def now(self) -> float:
        """What time it is."""

    def sleep_until(self, moment: float) -> None:
        """Come back at `moment`, or at once if it is past."""


class WallClock:
    """Seconds on the wall since this object was made."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def now(self) -> float:
        """What time it is."""
        return time.perf_counter() - self._start

    def sleep_until(self, moment: float) -> None:
        """Come back at `moment`, or at once if it is past."""
        time.sleep(max(0.0, moment - self.now()))
