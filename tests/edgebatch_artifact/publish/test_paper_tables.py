"""The tables that no experiment owns."""

from edgebatch_artifact.analysis.decision import Decision
from edgebatch_artifact.publish.paper_tables import (
    assumptions_table,
    claims_table,
    models_table,
    quantizations_table,
)
from edgebatch_artifact.settings.assumptions import Assumption, ValuedAssumption
from edgebatch_artifact.settings.compose import compose_files
from edgebatch_artifact.settings.conf_folder import groups
from tests.edgebatch_artifact.samples import make_claim
from tests.workflow.checkout import ROOT

CONF = ROOT / "conf"


def test_models_have_the_parameters_and_the_cache_of_their_shape():
    known = groups(CONF)["model"]
    table = models_table(compose_files(CONF, [("model", name) for name in known]).values())
    rows = {row[0]: row for row in table.rows}
    assert len(rows) == len(known)
    # 30 layers of 4 * 2560^2 + 2 * 2560 * 10240 weights; 250880 * 2560 in embeddings; 2 * 2 * 30 * 2560 bytes
    assert rows["BLOOM-3B"][1:] == ("30", "2560", "10240", "32/32", "2.36", "0.64", "3.00", "0.31")
    assert rows["Qwen3-30B-A3B"][1:] == ("48", "2048", "768 x 128", "32/4", "30.53", "–", "30.50", "0.10")
    assert rows["Flan-T5-XL"][1:3] == ("24 + 24", "2048")


def test_techniques_have_their_rise_of_perplexity():
    known = groups(CONF)["quantization"]
    files = compose_files(CONF, [("quantization", name) for name in known])
    shown = {"bloom_3b": "BLOOM-3B", "opt_13b": "OPT-13B"}
    table = quantizations_table(files.values(), shown)
    rows = {row[0]: row for row in table.rows}
    assert set(rows) == {file["label"] for file in files.values() if file["perplexity"].keys() & shown.keys()}
    assert rows["W4A16 GPTQ"][1:4] == ("4/16", "0.75", "0.20")
    assert rows["W3A16 AWQ g128 (WikiText-2)"][2:] == ("–", "0.43", "WikiText-2")


def test_assumptions_have_value_range_certainty_and_source():
    told = {"symbol": "x", "meaning": "Meaning", "source": "Somewhere"}
    entries = [
        Assumption(key="a", certainty="chosen", unit="s", range=(0.5, 2.0), **told),
        Assumption(key="b", certainty="recalled", choices=("one", "other"), **told),
        Assumption(key="c", certainty="known", **told),
    ]
    values = (1.0, "one", [1, 2])
    table = assumptions_table([ValuedAssumption(*pair) for pair in zip(entries, values, strict=True)])
    assert [row[1:4] for row in table.rows] == [
        ("1 s", "0.5 to 2", "[chosen]"),
        ("one", "one, other", "[recalled]"),
        ("1, 2", "–", "[known]"),
    ]


def test_claims_have_their_verdict():
    table = claims_table([Decision(make_claim("equals"), "expected", "measured", "holds", ())])
    assert table.rows == (("C", "a claim", "holds"),)
