"""All that sums up the experiments, from values to texts."""

import json

import pandas as pd
import pytest

from edgebatch import InputError
from edgebatch_artifact.analysis.claim_file import Claims
from edgebatch_artifact.calibration.calibrate import Calibration
from edgebatch_artifact.publish.conclude import SHOWN_MODELS, conclude
from edgebatch_artifact.publish.measured.calibration_tables import FIELDS
from edgebatch_artifact.settings.experiments.expand import expand_nominal
from edgebatch_artifact.settings.experiments.experiment_file import PAPER_TABLES
from edgebatch_artifact.settings.measured.calibration import TECHNIQUE_TABLES
from edgebatch_artifact.settings.measured.engine import ENGINE_TABLES
from edgebatch_artifact.storage.csv_file import read_csv
from tests.edgebatch_artifact.experiments import make_experiment
from tests.edgebatch_artifact.samples import make_claim, make_samples
from tests.workflow.checkout import ROOT

LABELS = {"model": {"bloom_3b": {"label": "Shown model"}}}
POINT = {"scheduler": "ours", "column": "throughput_per_s", "mean": 6.0, "half_width": 1.0, "seeds": 3}


@pytest.fixture(scope="module")
def nominal():
    return expand_nominal(ROOT / "conf")


ENGINE, TECHNIQUES = (
    {name: read_csv(ROOT / f"figures/{name}.csv") for name in names}
    for names in (ENGINE_TABLES, TECHNIQUE_TABLES)
)


def _calibration():
    """One fit, which is right in its one row that was held out."""
    about = {"source": "s", "fit": "f"}
    fits = pd.DataFrame(
        [{**about, "label": "S", "models": "M", "device": "D", "devices": 1, **dict.fromkeys(FIELDS, 0.5)}]
    )
    held_out = {"judged": "batches", "quantity": "token_s", "measured": 1.0, "ideal": 0.5, "calibrated": 1.0}
    log = {"log": "N", "quantity": "ttft_s", "request": 0, "measured": 1.0, "simulated": 1.1}
    predictions, logs = pd.DataFrame([{**about, **held_out}]), pd.DataFrame([log])
    return Calibration(fits, predictions, logs, ENGINE, TECHNIQUES)


def _conclude(nominal, name=SHOWN_MODELS, costs=(), race=()):
    experiments = {name: make_experiment(name, [{"load": 0}], LABELS)}
    samples = {name: make_samples("throughput_per_s", ((5, 6, 7), (1, 2, 2)))["e"]}
    claims = Claims(0.9, (make_claim("surpasses", experiments=(name,)),))
    points = {name: pd.DataFrame([POINT])}
    return conclude(experiments, samples, points, _calibration(), claims, nominal, dict(costs), dict(race))


def test_the_files_are_pages_values_and_a_table_in_two_formats_each(nominal):
    files = _conclude(nominal)
    tables = {f"paper/tables/{name}.tex" for name in PAPER_TABLES}
    data = {f"report/{name}.json" for name in PAPER_TABLES}
    assert files.keys() == {"CLAIMS.md", "ASSUMPTIONS.md", "paper/values.tex"} | tables | data
    assert all(files.values())


def test_the_decision_is_told_alike_in_every_text(nominal):
    files = _conclude(nominal)
    (claim,) = json.loads(files["report/claims.json"])
    assert claim["verdict"] == "holds"
    assert "**holds**" in files["CLAIMS.md"]
    assert "\\defval{claim/C/verdict}{holds}" in files["paper/values.tex"]


def test_values_have_the_confidence_the_race_and_the_configuration(nominal):
    values = _conclude(nominal, race={"race/instances": "9999"})["paper/values.tex"]
    assert "\\defval{confidence}{90 \\%}" in values
    assert "\\defval{race/instances}{9999}" in values
    assert "\\defval{conf/workload.arrival_rate}" in values
    assert f"\\defval{{{SHOWN_MODELS}/settings}}{{1}}" in values


def test_minutes_are_those_of_the_last_benchmark(nominal):
    costs = {"experiments": {SHOWN_MODELS: {"cpu_minutes": 12.34}}}
    assert "| 12.3 |" in _conclude(nominal, costs=costs)["CLAIMS.md"]
    assert "| – |" in _conclude(nominal)["CLAIMS.md"]


def test_quantization_has_a_column_for_each_model_of_the_shown_experiment(nominal):
    table = json.loads(_conclude(nominal)["report/quantization.json"])
    assert table["head"] == ["Technique", "Bits", "Shown model", "Data set"]


def test_without_the_experiment_of_the_shown_models_it_is_refused(nominal):
    with pytest.raises(InputError, match=f"^experiments: found other, expected {SHOWN_MODELS}"):
        _conclude(nominal, name="other")
