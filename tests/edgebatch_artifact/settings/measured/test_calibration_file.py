"""Files of conf/calibration/ that cannot be used are refused in one line."""

import shutil

import pytest

from edgebatch import InputError
from edgebatch_artifact.settings.measured.calibration_file import read_sources
from tests.workflow.checkout import ROOT

CONF = ROOT / "conf"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("steps: jetson_ai_lab.csv\n", "", "steps: found both or none, expected either steps or operators"),
        ("free: [bandwidth_share, ", "free: [bandwith_share, ", r"fits\.\w+\.free: found 'bandwith_share'"),
        ("[llama_3_2_3b", "[llama_3_2_4b", r"fits\.\w+\.models: found 'llama_3_2_4b', .*mean llama_3_2_3b"),
        ("edge_node: jetson_agx_orin_64gb", "edge_node: orin", r"fits\.\w+\.edge_node: found 'orin'"),
        ("weight_bits: 4", "weight_bits: 0", "weight_bits: found 0.0, expected a number above 0"),
        ("fitted: {batch: [1]}", "fitted: {batches: [1]}", "fitted.batches: found an unknown key"),
        (
            "    free: [bandwidth_share, layer_s]\n  jetson_agx_thor_t5000",
            "    free: [layer_s]\n    given_by: jetson_agx_thor_t5000\n  jetson_agx_thor_t5000",
            r"given_by: found 'jetson_agx_thor_t5000', expected none",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path, old, new, told):
    conf = shutil.copytree(CONF, tmp_path / "conf")
    path = conf / "calibration/jetson_ai_lab.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match="^conf/calibration/jetson_ai_lab.yaml: .*" + told):
        read_sources(conf)


def test_every_file_names_tables_that_are_there():
    sources = read_sources(CONF)
    assert len(sources) >= 3
    for source in sources.values():
        name = source.operators.folder if source.operators else source.steps
        assert (ROOT / "measurements" / name).exists(), name
