"""What may come of any input: an answer, or one line."""

from collections.abc import Iterator
from contextlib import contextmanager

from edgebatch.errors import InputError


@contextmanager
def answered(start: str) -> Iterator[None]:
    """Lets a refusal pass that is one line and begins with `start`; any other exception ends the test."""
    try:
        yield
        return
    except InputError as error:
        line = str(error)
    assert line.startswith(start), line
    assert len(line.splitlines()) == 1, line
