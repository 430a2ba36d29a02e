"""The file that carries a batch from the plan to its job: settings that are simulated in one process."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from edgebatch.errors import InputError
from edgebatch.io.json_text import read_json
from edgebatch.schema import Checked, read
from edgebatch.setting import identity
from edgebatch_artifact.storage.sealed import is_sealed


class Run(Checked):
    """One setting to simulate.

    Attributes
    ----------
    setting, result
        The file that is read, and the file that is written.
    code
        Fingerprint of the code that runs.
    scheduler
        How figures call the scheduler.
    words
        What the run is, for people.
    """

    setting: str
    result: str
    code: str
    scheduler: str
    words: str

    def is_stored(self) -> bool:
        """Whether the result is there, just as it was stored."""
        return is_sealed(Path(self.result))

    def command(self) -> str:
        """The command line that simulates this setting alone."""
        return f"python -m edgebatch_artifact.runs.simulate {self.setting} {self.result} --code {self.code}"


class Batch(Checked):
    """Runs of one scheduler's code, all needed by the same experiments."""

    experiments: tuple[str, ...]
    runs: tuple[Run, ...]

    @property
    def name(self) -> str:
        """Name of the batch by its list of runs."""
        return identity([Path(run.result).stem for run in self.runs])

    def missing(self) -> list[Run]:
        """The runs without a result, or with one that is not as it was stored."""
        return [run for run in self.runs if not run.is_stored()]

    def title(self) -> str:
        """What is left to do, for people."""
        left = len(self.missing())
        schedulers = ", ".join(sorted({run.scheduler for run in self.runs}))
        return f"Simulating {self.experiments[0]}, {schedulers}: {left} setting{'s' * (left != 1)}"

    def to_json(self) -> str:
        """The file's text; the same batch gives the same bytes."""
        return json.dumps(asdict(self), indent=1) + "\n"


def read_batch(path: Path) -> Batch:
    """Read the file of one batch.

    Raises
    ------
    InputError
        If it is not there, damaged, or no batch.
    """
    try:
        return read(Batch, read_json(path))
    except InputError as error:
        raise error.at(str(path)) from None
