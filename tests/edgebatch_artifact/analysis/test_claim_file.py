"""What conf/claims.yaml may say."""

import pytest

from edgebatch import InputError
from edgebatch_artifact.analysis.claim_file import parse_claims

SCHEDULERS = ("ours", "theirs")
PART = {"says": "p", "test": "saves", "column": "nodes", "of": "ours", "over": ["theirs"], "at_least": 0.5}
CLAIM = PART | {"id": "C1", "certainty": "abstract", "experiments": ["e"]}
SURVIVES = {key: CLAIM[key] for key in ("id", "says", "certainty", "experiments", "at_least")} | {
    "test": "survives",
    "parts": [PART],
}


def _parse(*claims, confidence=0.95):
    return parse_claims({"confidence": confidence, "claims": list(claims)}, SCHEDULERS)


def test_claims_are_read_in_order_with_their_parts():
    claims = _parse(CLAIM, SURVIVES | {"id": "C2"})
    assert [claim.id for claim in claims.claims] == ["C1", "C2"]
    assert claims.claims[1].parts[0].column == "nodes"


@pytest.mark.parametrize(
    ("claim", "line"),
    [
        (CLAIM | {"test": "surpases"}, r"claims\[0\]\.test: found 'surpases', .*did you mean surpasses\?"),
        (CLAIM | {"column": "node"}, r"claims\[0\]\.column: found 'node', .*did you mean nodes\?"),
        (CLAIM | {"over": []}, r"claims\[0\]: found no comparison"),
        (
            CLAIM | {"at_least": None},
            r"claims\[0\]\.at_least: found nothing, expected the share that it saves at least",
        ),
        (CLAIM | {"experiments": []}, r"claims\[0\]\.experiments: found an empty list"),
        (CLAIM | {"certainty": "seed"}, r"claims\[0\]\.certainty: found .*expected one of abstract, "),
        (CLAIM | {"over": ["their"]}, r"claims\[0\]\.over\[0\]: found 'their', .*did you mean theirs\?"),
        (SURVIVES | {"parts": None}, r"claims\[0\]\.parts: found nothing"),
        (SURVIVES | {"at_least": None}, r"claims\[0\]\.at_least: found nothing, expected the share of draws"),
        (SURVIVES | {"parts": [PART | {"of": "our"}]}, r"claims\[0\]\.parts\[0\]\.of: found 'our'"),
        (SURVIVES | {"parts": [PART | {"test": "somewhere"}]}, r"claims\[0\]\.parts\[0\]\.test: found"),
    ],
)
def test_a_claim_that_cannot_be_decided_is_refused_by_its_key(claim, line):
    with pytest.raises(InputError, match=rf"^conf/claims\.yaml: {line}"):
        _parse(claim)


def test_two_claims_of_one_id_are_refused():
    with pytest.raises(
        InputError, match=r"claims\[1\]\.id: found 'C1', expected an id that no other claim has"
    ):
        _parse(CLAIM, CLAIM)


@pytest.mark.parametrize("confidence", [0, 1, "high"])
def test_a_confidence_that_is_no_share_is_refused(confidence):
    with pytest.raises(InputError, match=r"^conf/claims\.yaml: confidence: found"):
        _parse(CLAIM, confidence=confidence)
