"""Whether what is published follows from the results, and the results from conf/ and the code.

Nothing is trusted that lies between: conf/ is compiled anew, and all that comes after the results is made
again in a temporary folder, to be compared file by file. The tree is only read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from edgebatch_artifact.runs.plan import expand
from edgebatch_artifact.settings.expand import compile_grid
from edgebatch_artifact.verify.outcome import Check
from edgebatch_artifact.verify.published import (
    check_conclusions,
    check_experiment,
    check_strays,
    read_published,
)
from edgebatch_artifact.verify.results import Sample, check_results, simulate_again


def verify(
    conf: Path, results: Path, benchmarks: Path, scale: str, sample: Sample, tell: Callable[[str], None]
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
    grid = compile_grid(conf, scale)
    plan = expand(grid, results, scale)
    with TemporaryDirectory() as folder:
        published, platform = read_published(Path(plan.root), Path(folder))
        yield platform
        tell("reading the results")
        intact = yield from check_results([run for batch in plan.batches.values() for run in batch.runs])
        yield from simulate_again(intact, grid.settings, published.elsewhere, sample, tell)
        files, missing = {run.result for run in intact}, []
        for number, (name, data) in enumerate(plan.experiments.items(), 1):
            tell(f"drawing figure {number} of {len(plan.names)} again: {name}")
            has_results = all(point["run"] in files for point in data.points)
            missing += [] if has_results else [name]
            yield from check_experiment(published, data, conf, has_results)
        tell("deciding the claims again")
        yield from check_conclusions(published, conf, benchmarks, missing)
        yield from check_strays(published, plan.names)
