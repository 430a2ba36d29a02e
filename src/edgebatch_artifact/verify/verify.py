"""Whether what is published follows from the results, and the results from conf/ and the code.

Nothing is trusted that lies between: conf/ is compiled anew, and all that comes after the results is made
again in a temporary folder, to be compared file by file. The tree is only read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from edgebatch_artifact.analysis.collect import figure_numbers
from edgebatch_artifact.analysis.sources import gather, read_calibration, read_claims
from edgebatch_artifact.calibration.calibrate import calibrate
from edgebatch_artifact.calibration.measured_files import read_measured
from edgebatch_artifact.runs.plan import plan_of
from edgebatch_artifact.settings.experiments.cache import Grid
from edgebatch_artifact.settings.experiments.expand import expand_experiments, expand_nominal
from edgebatch_artifact.settings.measured.compression_file import read_compression_config
from edgebatch_artifact.verify.outcome import Check
from edgebatch_artifact.verify.published import (
    Tables,
    check_calibration,
    check_conclusions,
    check_experiment,
    check_strays,
    read_published,
)
from edgebatch_artifact.verify.results import Resimulation, check_results, simulate_again
from edgebatch_artifact.verify.techniques import check_techniques


def verify(
    conf: Path,
    results: Path,
    benchmarks: Path,
    measurements: Path,
    scale: str,
    again: Resimulation,
    tell: Callable[[str], None],
) -> Iterator[Check]:
    """Every check, as it is made.

    Parameters
    ----------
    tell
        Is told what is being done.

    Raises
    ------
    InputError
        For anything in `conf` that cannot be used.
    """
    tell("reading the configuration")
    grid = Grid(expand_experiments(conf, scale), expand_nominal(conf), {}, "")
    plan = plan_of(grid, results, scale)
    claims = read_claims(conf)
    with TemporaryDirectory() as folder:
        published, platform = read_published(Path(plan.publish_prefix), Path(folder))
        yield platform
        tell("reading the results")
        intact = yield from check_results(plan.runs, results)
        settings = {
            id_: content for entry in plan.experiments.values() for id_, content in entry.settings.items()
        }
        yield from simulate_again(intact, results, settings, published.elsewhere, again, tell)
        stored, tables = {run.result for run in intact}, Tables({}, {})
        for number, (name, experiment) in enumerate(plan.experiments.items(), 1):
            tell(f"drawing figure {number} of {len(plan.experiments)} again: {name}")
            if all(experiment.result(point) in stored for point in experiment.points):
                tables.samples[name] = gather(experiment, results)
                tables.numbers[name] = figure_numbers(experiment, tables.samples[name], claims)
            yield from check_experiment(published, experiment, tables.numbers.get(name))
        tell("fitting the measurements again")
        yield from check_calibration(published, calibrate(read_measured(conf, measurements)))
        chosen = read_compression_config(conf).measurement
        yield from check_techniques(measurements / "compression", chosen, claims.confidence)
        calibration = read_calibration(published.again / "figures")
        tell("deciding the claims again")
        yield from check_conclusions(
            published, plan.experiments, tables, calibration, claims, grid.nominal, benchmarks
        )
        yield from check_strays(published, plan.experiments)
