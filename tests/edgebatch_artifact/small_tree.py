"""A project of one experiment with four settings, in which all is made without Snakemake."""

import shutil
from pathlib import Path

from edgebatch_artifact.cli import main
from edgebatch_artifact.runs.batch_data import Batch
from edgebatch_artifact.runs.plan import make_plan, store
from edgebatch_artifact.runs.simulate import simulate_file
from tests.edgebatch_artifact.spoilt import GOOD
from tests.workflow.checkout import ROOT

EXPERIMENT = "throughput_vs_accuracy"
"""Its name: the table of quantization techniques takes its models from this one."""


def make_tree() -> Batch:
    """Make all that is published in the working directory; returns its one batch."""
    shutil.copytree(ROOT / "conf", "conf", ignore=shutil.ignore_patterns("experiment", "claims.yaml"))
    Path("conf/experiment").mkdir()
    Path(f"conf/experiment/{EXPERIMENT}.yaml").write_text(GOOD)
    Path("conf/claims.yaml").write_text("confidence: 0.95\nclaims: []\n")
    plan = make_plan(Path("conf"), Path("results"), "full")
    store(plan, Path("results"))
    (batch,) = plan.batches.values()
    for run in batch.runs:
        simulate_file(Path(run.setting), Path(run.result), run.code)
    data, csv = f"results/experiments/{EXPERIMENT}.json", f"figures/{EXPERIMENT}.csv"
    pictures = [f"figures/{EXPERIMENT}.{ending}" for ending in ("pdf", "png")]
    samples = f"results/samples/{EXPERIMENT}.csv"
    for command in (
        ["collect", data, "--samples", samples, "--points", csv],
        ["draw", data, csv, *pictures, f"paper/tables/{EXPERIMENT}.tex"],
        ["conclude"],
        ["record", "figures/platform.json", csv, *pictures],
    ):
        assert main(command) == 0
    return batch
