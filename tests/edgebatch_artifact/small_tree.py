"""A project of one experiment with four settings, in which all is made without Snakemake."""

import shutil
from pathlib import Path

from edgebatch_artifact import steps
from edgebatch_artifact.runs.plan import Options, Plan, make_plan
from edgebatch_artifact.settings.experiments.cache import store_grid
from edgebatch_artifact.settings.measured.calibration import CALIBRATION_FIGURES, CALIBRATION_TABLES
from tests.edgebatch_artifact.spoilt import GOOD
from tests.workflow.checkout import ROOT

EXPERIMENT = "throughput_vs_accuracy"
"""Its name: the table of quantization techniques takes its models from this one."""


CALIBRATION = [
    *(f"figures/{name}.csv" for name in CALIBRATION_TABLES),
    *(f"figures/{name}.{end}" for name in CALIBRATION_FIGURES for end in ("pdf", "png")),
]


def make_tree() -> Plan:
    """Make all that is published in the working directory; returns its plan."""
    shutil.copytree(ROOT / "conf", "conf", ignore=shutil.ignore_patterns("experiment", "claims.yaml"))
    Path("conf/experiment").mkdir()
    Path(f"conf/experiment/{EXPERIMENT}.yaml").write_text(GOOD)
    Path("conf/claims.yaml").write_text("confidence: 0.95\nclaims: []\n")
    for source in Path("conf/calibration").glob("*.yaml"):
        if source.stem != "jetson_ai_lab":  # the one that is fitted fastest
            source.unlink()
    for folder in ("measurements", "workloads"):
        shutil.copytree(ROOT / folder, folder)
    plan = make_plan(Path("conf"), Path("results"), Options())
    store_grid(plan.grid, Path("results"))
    data, collected = f"results/experiments/{EXPERIMENT}.json", plan.collected(EXPERIMENT)
    figures = [f"figures/{EXPERIMENT}.{ending}" for ending in ("csv", "pdf", "png")]
    tables = [f"paper/tables/{EXPERIMENT}.tex", f"results/report/{EXPERIMENT}.json"]
    for command in (
        ["simulate", data, *(run.id for run in plan.runs)],
        ["collect", data, f"{collected}/samples.csv", f"{collected}/numbers.csv"],
        ["draw", data, f"{collected}/numbers.csv", *figures, *tables],
        ["calibrate", "results", ".", "reference"],
        ["conclude", "results", "."],
        ["record", "figures/platform.json", *figures, *CALIBRATION],
    ):
        assert steps.main(command) == 0
    return plan
