"""Claims on measured techniques."""

import pytest

from edgebatch import InputError
from edgebatch_artifact.analysis.claim_file import Claim
from edgebatch_artifact.analysis.claims import decide
from edgebatch_artifact.compression.outcome import technique_tables
from edgebatch_artifact.settings.measured.calibration import ACCURACY_AGAINST_BITS, TECHNIQUE_SEQUENCES
from tests.edgebatch_artifact.publish.measured.test_techniques import PUBLISHED_FILES
from tests.edgebatch_artifact.techniques import techniques


def _decide(test, of, over=(), **bounds):
    table = {"closer": TECHNIQUE_SEQUENCES, "codes": ACCURACY_AGAINST_BITS}[test]
    claim = Claim("X", "says", test, "abstract", (table,), of=of, over=over, **bounds)
    tables = technique_tables(techniques(), PUBLISHED_FILES)
    return decide(claim, tables, 0.95, lambda *_: "")


def test_a_run_that_is_closer_on_every_sequence_is_closer():
    # 0.2 nats on each sequence, nearly: sequences differ by more than that
    found = _decide("closer", "squeezellm_3_sparse", ("rtn_3",))
    assert found.verdict == "holds"
    assert found.measured.startswith("1 of 1 comparisons; differences (nats per token) RTN 3: 0.198 ± 0.0")


def test_a_difference_within_its_interval_does_not_count_and_is_named():
    found = _decide("closer", "apiq_3", ("rtn_3",))
    assert found.verdict == "does not hold"
    assert found.exceptions == ("RTN 3: 0 ± 0.013",)
    assert _decide("closer", "squeezellm_3_sparse", ("rtn_3", "edge_llm_5_pruned")).verdict == "holds in part"


def test_coding_saves_within_bounds_and_more_than_others():
    # the better coder makes four bytes three
    assert _decide("codes", "rtn_3", at_least=1.3, at_most=1.4).verdict == "holds"
    found = _decide("codes", "rtn_3", at_least=1.4, at_most=2.0)
    assert (found.verdict, found.exceptions) == ("does not hold", ("1.33 is not within 1.4 to 2",))
    found = _decide("codes", "rtn_3", ("edge_llm_5_pruned",), at_least=1.3, at_most=1.4)
    assert found.verdict in ("holds", "holds in part")


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"test": "closer", "experiments": (TECHNIQUE_SEQUENCES,)}, "found no comparison"),
        (
            {"test": "closer", "experiments": ("calibration",), "of": "a", "over": ("b",)},
            "experiments: found",
        ),
        ({"test": "codes", "experiments": (ACCURACY_AGAINST_BITS,), "of": "a"}, "at_least: found nothing"),
    ],
)
def test_a_claim_without_runs_or_bounds_is_refused(fields, refusal):
    with pytest.raises(InputError, match=refusal):
        Claim(id="X", says="says", certainty="abstract", **fields)


@pytest.mark.parametrize("test", ["closer", "codes"])
def test_a_run_that_was_not_measured_is_refused_by_name(test):
    with pytest.raises(InputError, match=r"X\.of: found 'rtn_33', expected one of .*did you mean rtn_3"):
        _decide(test, "rtn_33", ("rtn_3",), at_least=1.0)
