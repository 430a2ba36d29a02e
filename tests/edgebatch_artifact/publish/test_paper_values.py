import shutil
import subprocess

import pandas as pd
import pytest

from edgebatch_artifact.analysis.decision import Decision
from edgebatch_artifact.publish.paper_values import (
    claim_values,
    configuration_values,
    gain_values,
    number_values,
    values_file,
    width_values,
)
from tests.edgebatch_artifact.experiments import make_experiment
from tests.edgebatch_artifact.samples import make_claim

EXPERIMENT = make_experiment("load")
POINTS = pd.DataFrame(
    {
        "model": ["m", "m", "n"],
        "scheduler": ["dftsp", "other", "dftsp"],
        "rate": [0.5, 0.5, 200],
        "column": ["throughput_per_s"] * 3,
        "mean": [12.345, 0.0, 1234.4],
        "half_width": [1.2345, 0.0, 12.345],
        "seeds": [3, 3, 3],
    }
)


def test_points_are_named_by_their_axes():
    assert number_values(EXPERIMENT, POINTS) == {
        "load/m/dftsp/0.5/throughput_per_s": "12.3",
        "load/m/other/0.5/throughput_per_s": "0",
        "load/n/dftsp/200/throughput_per_s": "1234",
    }


def test_shares_of_claims_are_numbered():
    experiment = make_experiment("robust", figure={"draw": "claims"})
    assert number_values(experiment, pd.DataFrame({"share": [1.0, 0.925]})) == {
        "robust/1": "100 %",
        "robust/2": "92.5 %",
    }


def test_the_widest_interval_is_relative_to_its_mean():
    assert width_values(EXPERIMENT, POINTS) == {"load/widest": "10 %"}


def test_gains_are_ratios_of_means_where_the_other_serves_anything():
    columns = {"scheduler": ["dftsp", "o"] * 3, "rate": [1, 1, 2, 2, 3, 3], "seed": [0] * 6}
    samples = pd.DataFrame(columns | {"throughput_per_s": [4.0, 2.0, 9.0, 3.0, 5.0, 0.0]})
    assert gain_values(EXPERIMENT, samples) == {"load/gain/o/least": "2", "load/gain/o/most": "3"}
    assert gain_values(EXPERIMENT, samples[samples["scheduler"] == "o"]) == {}


def test_configuration_values_are_named_by_their_dotted_keys():
    data = {"slots": {"uplink_s": 0.25, "deep": {"x": [1, 2]}}, "cost": "flops", "nothing": None}
    expected = {"conf/slots.uplink_s": "0.25", "conf/slots.deep.x": "1, 2", "conf/cost": "flops"}
    assert configuration_values(data) == expected


def test_claims_have_a_verdict_and_a_measure():
    decision = Decision(make_claim("equals", id="C9"), "expected", "found 5 %", "holds", ())
    assert claim_values([decision]) == {"claim/C9/verdict": "holds", "claim/C9/measured": "found 5 %"}


def _typeset(folder, text):
    (folder / "values.tex").write_text(values_file({"a/b_c.d": "5 % & more", "x": "1"}), encoding="utf-8")
    document = (
        f"\\documentclass{{article}}\n\\input{{values}}\n\\begin{{document}}\n{text}\n\\end{{document}}\n"
    )
    (folder / "main.tex").write_text(document, encoding="utf-8")
    command = ["latexmk", "-pdf", "-interaction=nonstopmode", "-halt-on-error", "main.tex"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)


needs_latex = pytest.mark.skipif(shutil.which("latexmk") is None, reason="latexmk is not installed")


@needs_latex
def test_values_can_be_used_in_text_and_arguments(tmp_path):
    done = _typeset(tmp_path, "\\emph{\\val{a/b_c.d}} and \\val{x}")
    assert done.returncode == 0, done.stdout[-2000:]


@needs_latex
def test_a_value_that_does_not_exist_stops_latex_with_its_name(tmp_path):
    done = _typeset(tmp_path, "\\val{a/b_c.e}")
    assert done.returncode != 0
    assert "No value is named a/b_c.e" in done.stdout + (tmp_path / "main.log").read_text(errors="replace")
