"""Every invariant of docs/invariants.md names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/invariants.md").read_text(encoding="utf-8")


def test_every_invariant_is_watched_by_tests_that_exist():
    invariants = re.split(r"^\d+\. ", PAGE, flags=re.M)[1:]
    missing = []
    for invariant in invariants:
        named = re.findall(r"`([\w/]+\.py)(?:::(test_\w+))?`", invariant)
        assert named, invariant
        missing += [
            f"{file}::{test}"
            for file, test in named
            if f"def {test or 'test_'}" not in (ROOT / "tests" / file).read_text(encoding="utf-8")
        ]
    assert missing == []


def test_invariants_are_numbered_in_order():
    numbers = [int(number) for number in re.findall(r"^(\d+)\. ", PAGE, re.M)]
    assert numbers == list(range(1, len(numbers) + 1))
