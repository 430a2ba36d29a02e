"""What `artifact verify` finds: one check of one file, and all of them in sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from edgebatch.errors import InputError


class Outcome(Enum):
    """What became of a check."""

    SAME = "agree to the last byte"
    CLOSE = "agree as far as another platform allows"
    DIFFERS = "differ"
    UNKNOWN = "not verified"


@dataclass(frozen=True)
class Check:
    """One file that was checked.

    Attributes
    ----------
    kind
        What is checked, as the summary calls it.
    words
        What was found and what is expected, unless they are the same.
    """

    kind: str
    file: str
    outcome: Outcome
    words: str = ""

    @property
    def passed(self) -> bool:
        """Whether the file was verified, and agrees."""
        return self.outcome in (Outcome.SAME, Outcome.CLOSE)

    def __str__(self) -> str:
        return f"{self.file}: {self.words}"


def summary(checks: Sequence[Check]) -> str:
    """How many checks of each kind had which outcome, a line a kind; and what that means."""
    kinds: dict[str, list[Outcome]] = {}
    for check in checks:
        kinds.setdefault(check.kind, []).append(check.outcome)
    width = max(map(len, kinds), default=0)
    lines = []
    for kind, found in kinds.items():
        counted = [f"{found.count(outcome)} {outcome.value}" for outcome in Outcome if outcome in found]
        lines.append(f"{kind:{width}}  {', '.join(counted)}")
    outcomes = {check.outcome for check in checks}
    if not outcomes & {Outcome.DIFFERS, Outcome.UNKNOWN}:
        return "\n".join([*lines, "Verified: everything agrees."])
    first = "delete what differs, then " if Outcome.DIFFERS in outcomes else ""
    return "\n".join([*lines, f"Not verified: {first}`make reproduce` makes what is missing."])


def without_file(error: InputError) -> str:
    """What an error tells of a file that is named beside it."""
    return str(error).removeprefix(error.where).removeprefix(": ")
