"""What is being done, and about how long the rest takes."""

from __future__ import annotations

import time
from collections.abc import Callable


class Progress:
    """Tells what a call of ``artifact compress`` is doing.

    Parameters
    ----------
    runs, left
        How many runs there are, and how many of them are to be done.
    layers
        Layers of the decoder.
    """

    def __init__(self, runs: int, left: int, layers: int, tell: Callable[[str], None]) -> None:
        self._runs, self._left, self._layers, self._tell = runs, left, layers, tell
        self._begun, self._name = 0, ""
        self._start_s = time.monotonic()

    def begin(self, name: str) -> None:
        """A run begins."""
        self._name, self._begun = name, self._begun + 1
        self.say("begins")

    def say(self, doing: str) -> None:
        """Say what is done of this run, with an estimate by the mean of the runs that have ended."""
        ended = self._begun - 1
        spent_s = time.monotonic() - self._start_s
        rest_s = spent_s / ended * (self._left - ended) if ended else 0.0
        about = f", about {rest_s / 60:.0f} min left" if ended else ""
        number = self._runs - self._left + self._begun
        self._tell(f"run {number} of {self._runs}{about}; {self._name}: {doing}")

    def layer(self, number: int, seconds: float) -> None:
        """A layer begins; `seconds` is what the one before it took."""
        if number == self._layers:
            return
        rest_s = seconds * (self._layers - number)
        # a line for each second or so
        if number % max(1, round(5 / max(seconds, 1e-3))) == 0 or number == 0:
            about = f", about {rest_s:.0f} s" if number else ""
            self.say(f"layer {number} of {self._layers}{about}")
