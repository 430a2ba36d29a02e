"""Claims decided on results that are made up."""

import pandas as pd
import pytest

from edgebatch import InputError
from edgebatch_artifact.analysis.claim_file import MEASURED, Claims, Part
from edgebatch_artifact.analysis.claims import decide_all
from edgebatch_artifact.analysis.comparisons import shares
from edgebatch_artifact.analysis.sources import read_claims
from edgebatch_artifact.settings.measured.engine import ENGINE_TABLES
from tests.edgebatch_artifact.samples import decide_claim, make_claim, make_samples
from tests.workflow.checkout import ROOT

MORE, LESS, SAME = ((5, 6, 7), (1, 2, 2)), ((1, 2, 2), (5, 6, 7)), ((3, 4, 5), (3, 4, 5))
SURELY_NOT = ((5, 6, 7), (1, 2, 20))


@pytest.mark.parametrize(
    ("points", "verdict"),
    [
        ([MORE, MORE], "holds"),
        ([MORE, LESS], "holds in part"),
        ([LESS, LESS], "does not hold"),
        ([SAME], "does not hold"),
        ([MORE, SURELY_NOT], "holds in part"),
    ],
)
def test_surpasses_asks_for_a_paired_difference_above_zero_everywhere(points, verdict):
    decision = decide_claim(make_claim("surpasses"), make_samples("throughput_per_s", *points))
    assert decision.verdict == verdict
    assert len(decision.exceptions) == sum(point is not MORE for point in points)


@pytest.mark.parametrize(
    ("ours", "verdict"), [((2, 3, 4), "holds"), ((1, 3, 4), "does not hold"), ((4, 6, 8), "holds")]
)
def test_reaches_asks_for_the_share_in_every_epoch_and_tells_the_mean(ours, verdict):
    decision = decide_claim(
        make_claim("reaches", at_least=0.5), make_samples("throughput_per_s", (ours, (4, 6, 8)))
    )
    assert decision.verdict == verdict
    assert "mean share" in decision.measured


@pytest.mark.parametrize(
    ("predicted", "verdict"),
    [(1.05, "holds"), (0.95, "holds"), (1.2, "does not hold"), (0.8, "does not hold")],
)
def test_predicts_asks_for_a_small_median_error_on_rows_held_out(predicted, verdict):
    claim = make_claim(
        "predicts",
        experiments=("calibration",),
        of="calibrated",
        over=("batches",),
        at_least=None,
        at_most=0.1,
    )
    rows = [
        ("fitted", 1.0, 9.0),
        ("batches", 1.0, predicted),
        ("batches", 10.0, 10 * predicted),
        ("model", 1.0, 9.0),
    ]
    table = pd.DataFrame(rows, columns=["judged", "measured", "calibrated"])
    table = table.assign(ideal=9.0, source="s", fit="f", quantity="token_s")
    decision = decide_claim(claim, {"calibration": table})
    assert decision.verdict == verdict
    assert decision.measured.startswith(f"{int(verdict == 'holds')} of 1 kinds of rows; median errors from ")
    assert len(decision.exceptions) == (verdict != "holds")


@pytest.mark.parametrize(("load", "verdict"), [(0, "holds"), (1, "does not hold")])
def test_a_claim_is_decided_where_it_says(load, verdict):
    samples = make_samples("throughput_per_s", MORE, LESS)
    assert decide_claim(make_claim("surpasses", where={"load": load}), samples).verdict == verdict


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ({"laod": 0}, "C.where.laod: found an unknown key, expected one of load"),
        ({"load": 7}, "C.where.load: found 7, expected one of 0, 1"),
    ],
)
def test_a_claim_about_what_is_not_swept_is_refused(where, line):
    with pytest.raises(InputError, match=line):
        decide_claim(make_claim("surpasses", where=where), make_samples("throughput_per_s", MORE, LESS))


def test_differences_are_paired_by_seed():
    # far apart between seeds, and always one apart within a seed
    samples = make_samples("throughput_per_s", ((1.0, 101, 1001), (0.1, 100, 1000)))
    assert decide_claim(make_claim("surpasses"), samples).verdict == "holds"
    shuffled = {"e": samples["e"].sample(frac=1, random_state=1)}
    assert decide_claim(make_claim("surpasses"), shuffled) == decide_claim(make_claim("surpasses"), samples)


def test_exceptions_name_setting_opponent_and_difference():
    decision = decide_claim(make_claim("surpasses"), make_samples("throughput_per_s", MORE, ((1, 1), (2, 2))))
    assert decision.exceptions == ("e: load 1; against scheduler theirs: -1 ± 0",)


@pytest.mark.parametrize(
    ("points", "verdict"),
    [
        ([SAME, SAME], "holds"),
        ([SAME, ((3, 4, 5), (3, 4, 6))], "holds in part"),
        ([((1, 2), (2, 1))], "does not hold"),
    ],
)
def test_equals_asks_for_the_same_value_for_every_seed(points, verdict):
    assert (
        decide_claim(make_claim("equals", "batch_size"), make_samples("batch_size", *points)).verdict
        == verdict
    )


SAVES_MUCH, SAVES_LITTLE = ((10, 20, 30), (100, 200, 300)), ((60, 120, 180), (100, 200, 300))


@pytest.mark.parametrize(
    ("points", "verdict"),
    [
        ([SAVES_MUCH], "holds"),
        ([SAVES_MUCH, SAVES_LITTLE], "holds in part"),
        ([SAVES_LITTLE], "does not hold"),
        ([((0, 0), (0, 0))], "holds"),
        # half is saved on average, but seeds differ too much to be sure of 45 %
        ([((10, 90, 50), (100, 100, 100))], "does not hold"),
    ],
)
def test_saves_asks_for_more_than_the_least_share_with_confidence(points, verdict):
    claim = make_claim("saves", "nodes", at_least=0.45)
    assert decide_claim(claim, make_samples("nodes", *points)).verdict == verdict


def test_the_share_saved_is_that_of_all_seeds_together():
    decision = decide_claim(
        make_claim("saves", "nodes", at_least=0.45), make_samples("nodes", ((1, 9), (10, 90)))
    )
    assert "nodes saved from 90 % to 90 %" in decision.measured


@pytest.mark.parametrize(
    ("points", "verdict", "told"),
    [([LESS, MORE], "holds", 1), ([MORE, MORE], "holds", 2), ([LESS, SAME], "does not hold", 0)],
)
def test_somewhere_asks_for_one_setting_and_tells_those(points, verdict, told):
    decision = decide_claim(make_claim("somewhere"), make_samples("throughput_per_s", *points))
    assert decision.verdict == verdict
    assert len(decision.exceptions) == told


def _part(says, of, over):
    return Part(says=says, test="surpasses", column="throughput_per_s", of=of, over=(over,))


OURS, THEIRS = _part("ours", "ours", "theirs"), _part("theirs", "theirs", "ours")


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [((OURS,), "holds"), ((OURS, THEIRS), "holds in part"), ((THEIRS,), "does not hold")],
)
def test_survives_asks_for_each_part_in_enough_draws(parts, verdict):
    samples = make_samples("throughput_per_s", *[MORE] * 9, LESS, axis="draw")
    claim = make_claim("survives", "", of="", over=(), at_least=0.9, parts=parts)
    assert decide_claim(claim, samples).verdict == verdict
    strict = make_claim("survives", "", of="", over=(), at_least=0.91, parts=parts)
    assert decide_claim(strict, samples).verdict == "does not hold"


def test_shares_count_draws_with_an_exact_interval():
    claim = make_claim("survives", "", of="", over=(), at_least=0.9, parts=(OURS,))
    row = shares(
        claim, make_samples("throughput_per_s", *[MORE] * 5, *[LESS] * 5, axis="draw")["e"], 0.95
    ).iloc[0]
    assert (row.claim, row.share, row.draws) == ("ours", 0.5, 10)
    assert (row.low, row.high) == pytest.approx((0.1871, 0.8129), abs=5e-5)


def test_every_claim_is_decided_in_order_and_one_of_no_experiment_is_refused():
    samples = make_samples("throughput_per_s", MORE)
    chosen = tuple(make_claim("surpasses", id=id_) for id_ in ("C1", "C2"))
    claims = Claims(0.95, chosen)
    assert [d.claim.id for d in decide_all(claims, samples, lambda *names: "")] == ["C1", "C2"]
    elsewhere = Claims(0.95, (make_claim("surpasses", experiments=("d",)),))
    with pytest.raises(InputError, match=r"^conf/claims\.yaml: C\.experiments: found d, expected one of e"):
        decide_all(elsewhere, samples, lambda *names: "")


def test_every_claim_compares_schedulers_that_its_experiments_sweep():
    comparing = [claim for claim in read_claims(ROOT / "conf").claims if claim.test not in MEASURED]
    assert len(comparing) >= 8
    for claim in comparing:
        for experiment in claim.experiments:
            if experiment in ENGINE_TABLES:
                continue  # what was run says conf/engine.yaml
            text = (ROOT / f"conf/experiment/{experiment}.yaml").read_text()
            swept = next(line for line in text.splitlines() if line.strip().startswith("scheduler:"))
            known = swept.partition(":")[2].strip().split(",")
            for part in claim.parts or [claim]:
                assert {part.of, *part.over} <= set(known), (claim.id, experiment)
