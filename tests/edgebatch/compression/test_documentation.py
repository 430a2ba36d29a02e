"""The technique that docs/compression.md adds, and the runs of conf/compression/."""

import numpy as np
import pytest
import yaml

from edgebatch.compression import techniques
from edgebatch.compression.compress import compress
from edgebatch.compression.stored.layer_file import read_layer, write_layer
from edgebatch.compression.tuning import Tuning
from edgebatch.schema import read
from edgebatch_artifact.settings.measured.compression import CompressionRun
from edgebatch_artifact.settings.measured.compression_file import read_compression_config, read_runs
from tests.edgebatch.compression.tiny import decoder, reference
from tests.workflow.checkout import ROOT, example

PAGE = "docs/compression.md"
RUNS = read_runs(ROOT / "conf")


def test_the_technique_of_the_documentation_rounds_towards_zero_and_is_stored(tmp_path):
    module = {}
    exec(example(PAGE, "python"), module)
    run = read(CompressionRun, yaml.safe_load(example(PAGE, "yaml")))
    technique = read(module["Options"], run.options)
    layer = next(compress(technique, reference()))
    write_layer(tmp_path / "layer", layer, "huffman")
    found = read_layer(tmp_path / "layer")["up"].decode()
    np.testing.assert_array_equal(found, layer["up"].decode())
    assert (np.abs(found) <= np.abs(decoder().layers["up"][0]) * (1 + 1e-3)).all()


@pytest.mark.parametrize("name", RUNS)
def test_every_run_of_conf_names_a_technique_and_options_that_it_has(name):
    # what has no such technique, option or value is refused when it is made
    made = techniques.get(RUNS[name].technique, RUNS[name].options)
    assert set(RUNS[name].options) <= set(vars(made))
    if RUNS[name].tuning is not None:
        assert read(Tuning, RUNS[name].tuning)


def test_every_technique_is_run():
    assert {run.technique for run in RUNS.values()} == {*techniques.names()}
    assert read_compression_config(ROOT / "conf").text.tokens > 1
