"""An experiment file that cannot be used stops the pipeline with one line, before anything is made."""

import re
import sys

import pytest

from tests.artifact.spoilt import GOOD, spoil
from tests.workflow.checkout import copy_project, execute


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = copy_project(tmp_path_factory.mktemp("refused") / "copy")
    for path in (folder / "conf/experiment").glob("*.yaml"):
        path.unlink()
    (folder / "conf/claims.yaml").write_text("confidence: 0.95\nclaims: []\n")
    return folder


def _refusal(folder, text):
    """The one line that Snakemake says of an experiment file."""
    (folder / "conf/experiment/mine.yaml").write_text(text)
    done = execute(folder, sys.executable, "-m", "snakemake", "--nocolor", "--cores", "1")
    assert done.returncode != 0
    assert not (folder / "figures").exists()
    assert "Traceback" not in done.stdout
    assert len(done.stdout.splitlines()) == 1, done.stdout
    return done.stdout


@pytest.mark.parametrize("how", ["a misspelt swept key", "an unknown model", "an empty sweep"])
def test_a_spoilt_experiment_file_is_refused_in_one_line_with_file_and_key(project, how):
    text, key = spoil(how)
    line = _refusal(project, text)
    assert re.match(rf"artifact: conf/experiment/mine\.yaml: {re.escape(key)}\b", line), line


def test_quantization_without_a_perplexity_of_the_model_is_refused_in_one_line(project):
    params = "model: bloom_3b\n      quantization: w3a16_awq_g128_wikitext2"
    line = _refusal(project, GOOD.replace("model: bloom_3b,bloom_7b1", params))
    assert "conf/quantization/w3a16_awq_g128_wikitext2.yaml: quantization.perplexity.bloom_3b" in line
