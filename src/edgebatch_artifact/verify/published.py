"""Whether figures, tables and texts follow from the results: all are made again elsewhere, and compared."""

from __future__ import annotations

import functools
import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from edgebatch.errors import InputError
from edgebatch_artifact.analysis.claim_file import Claims
from edgebatch_artifact.analysis.sources import read_calibration, read_mapping
from edgebatch_artifact.calibration.calibrate import Calibration
from edgebatch_artifact.publish.conclude import conclude
from edgebatch_artifact.publish.experiment_table import experiment_table
from edgebatch_artifact.publish.figures import make_figure, save_figure
from edgebatch_artifact.publish.measured.calibration_figure import calibration_figures
from edgebatch_artifact.publish.measured.calibration_tables import calibration_tables
from edgebatch_artifact.settings.experiments.experiment import Experiment, Nominal
from edgebatch_artifact.settings.experiments.experiment_file import PAPER_TABLES
from edgebatch_artifact.settings.measured.calibration import CALIBRATION_TABLES
from edgebatch_artifact.storage.csv_file import csv_text, read_csv
from edgebatch_artifact.storage.files import replace, sha256, write
from edgebatch_artifact.verify.compare import TOLERANCE, agree, how_they_differ
from edgebatch_artifact.verify.outcome import Check, Outcome, without_file
from edgebatch_artifact.verify.platform_record import Record, differences, here, read_record

PLATFORM, NUMBERS, PICTURES, TEXTS = "platform", "CSV behind figures", "pictures", "tables and texts"
RECORD = "figures/platform.json"
MISSING = "found no such file, expected one"
CONCLUSIONS = (
    *("CLAIMS.md", "ASSUMPTIONS.md", "paper/values.tex"),
    *(f"paper/tables/{name}.tex" for name in PAPER_TABLES),
)
"""What is published beside figures and the tables of experiments."""


class Tables(NamedTuple):
    """Samples, and the numbers of the figure, of each experiment whose results are all there."""

    samples: dict[str, pd.DataFrame]
    numbers: dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Published:
    """What is published, and where it is made again.

    Attributes
    ----------
    root
        Folder of figures/, paper/ and CLAIMS.md.
    again
        Empty folder, in which the same tree is made.
    record
        Where the figures were made; without it all bytes have to be the same.
    """

    root: Path
    again: Path
    record: Record | None

    @property
    def elsewhere(self) -> bool:
        """Whether it was made on another platform, where bytes may differ."""
        return self.record is not None and self.record.platform != here()

    def recorded(self, name: str) -> bool:
        """Whether a file has the bytes that the record tells of; files outside figures/ are not recorded."""
        if self.record is None or not name.startswith("figures/"):
            return True
        return self.record.sha256.get(Path(name).name) == sha256(self.root / name)

    def compare(self, kind: str, name: str) -> Check:
        """Check a file that has been made again."""
        file, again = self.root / name, self.again / name
        if not file.is_file():
            return self.verdict(kind, name, Outcome.DIFFERS, MISSING)
        if file.read_bytes() != again.read_bytes():
            if self.elsewhere and self.recorded(name) and agree(file, again):
                return self.verdict(kind, name, Outcome.CLOSE)
            return self.verdict(kind, name, Outcome.DIFFERS, how_they_differ(file, again))
        if not self.recorded(name):
            words = f"found another digest in {RECORD}, expected its own"
            return self.verdict(kind, name, Outcome.DIFFERS, words)
        return self.verdict(kind, name, Outcome.SAME)

    def verdict(self, kind: str, name: str, outcome: Outcome, words: str = "") -> Check:
        """The check of a file below `root`."""
        return Check(kind, str(self.root / name), outcome, words)


def read_published(root: Path, again: Path) -> tuple[Published, Check]:
    """What is published below `root`, and whether it was made on this platform."""
    try:
        published = Published(root, again, read_record(root / RECORD))
    except InputError as error:
        published = Published(root, again, None)
        return published, published.verdict(PLATFORM, RECORD, Outcome.DIFFERS, without_file(error))
    if published.elsewhere and published.record:
        words = f"made on another platform ({differences(published.record.platform)}); {TOLERANCE}"
        return published, published.verdict(PLATFORM, RECORD, Outcome.CLOSE, words)
    return published, published.verdict(PLATFORM, RECORD, Outcome.SAME)


def check_experiment(
    published: Published, experiment: Experiment, numbers: pd.DataFrame | None
) -> Iterator[Check]:
    """Draw and tabulate an experiment again, from the numbers that follow from its results if it has any."""
    name = experiment.name
    csv, table = f"figures/{name}.csv", f"paper/tables/{name}.tex"
    pictures = [f"figures/{name}.{ending}" for ending in ("pdf", "png")]
    if numbers is not None:
        write(published.again / csv, csv_text(numbers))
        check, source = published.compare(NUMBERS, csv), published.again / csv
    else:
        check, source = _without_results(published, csv), published.root / csv
    yield check
    if numbers is None and (check.outcome is Outcome.DIFFERS or published.record is None):
        words = f"not made again, since {source} cannot be relied on"
        yield from (published.verdict(PICTURES, picture, Outcome.UNKNOWN, words) for picture in pictures)
        yield published.verdict(TEXTS, table, Outcome.UNKNOWN, words)
        return
    # read back, since figures and tables show what stands in the file
    shown = read_csv(source)
    figure = make_figure(experiment, shown)
    for picture in pictures:
        replace(published.again / picture, lambda path: save_figure(figure, path))
    write(published.again / table, experiment_table(experiment, shown).latex())
    yield from (published.compare(PICTURES, picture) for picture in pictures)
    yield published.compare(TEXTS, table)


def check_calibration(published: Published, calibration: Calibration) -> Iterator[Check]:
    """Publish the calibration again, from fits that were made again."""
    figures = published.again / "figures"
    for name, content in calibration.tables().items():
        write(figures / f"{name}.csv", csv_text(content))
        yield published.compare(NUMBERS, f"figures/{name}.csv")
    shown = read_calibration(figures)
    for name, figure in calibration_figures(shown).items():
        for ending in ("pdf", "png"):
            picture = f"figures/{name}.{ending}"
            replace(published.again / picture, functools.partial(save_figure, figure))
            yield published.compare(PICTURES, picture)
    for table in calibration_tables(shown):
        write(published.again / f"paper/tables/{table.name}.tex", table.latex())
        yield published.compare(TEXTS, f"paper/tables/{table.name}.tex")


def _without_results(published: Published, csv: str) -> Check:
    """What can be said of a CSV without results: whether it is the one that was drawn."""
    if not (published.root / csv).is_file():
        return published.verdict(NUMBERS, csv, Outcome.DIFFERS, MISSING)
    if not published.recorded(csv):
        words = f"found other bytes than {RECORD} tells of, expected those that were drawn"
        return published.verdict(NUMBERS, csv, Outcome.DIFFERS, words)
    return published.verdict(NUMBERS, csv, Outcome.UNKNOWN, "not collected again, for want of results")


def check_conclusions(
    published: Published,
    experiments: Mapping[str, Experiment],
    tables: Tables,
    calibration: Calibration,
    claims: Claims,
    nominal: Nominal,
    benchmarks: Path,
) -> Iterator[Check]:
    """Decide the claims and set the texts again, if all experiments have their results.

    `calibration` is as it was read from its files.
    """
    missing = [name for name in experiments if name not in tables.samples]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        words = f"not made again, for want of results of {missing[0]}{more}"
        yield from (published.verdict(TEXTS, name, Outcome.UNKNOWN, words) for name in CONCLUSIONS)
        return
    # through text, since the workflow concludes from files
    samples, numbers = (
        {name: pd.read_csv(io.StringIO(csv_text(table))) for name, table in kind.items()} for kind in tables
    )
    stored = [read_mapping(benchmarks / name) for name in ("costs.json", "race.json")]
    files = conclude(experiments, samples, numbers, calibration, claims, nominal, *stored)
    for name in CONCLUSIONS:
        write(published.again / name, files[name])
        yield published.compare(TEXTS, name)


def check_strays(published: Published, names: Collection[str]) -> Iterator[Check]:
    """Name the files in figures/ that neither an experiment of `names` nor the calibration makes."""
    for file in sorted((published.root / "figures").glob("*")):
        if file.suffix in (".csv", ".pdf", ".png") and file.stem not in (*names, *CALIBRATION_TABLES):
            words = "found a file that no experiment of conf/ makes, expected none"
            yield published.verdict(PICTURES, f"figures/{file.name}", Outcome.DIFFERS, words)
