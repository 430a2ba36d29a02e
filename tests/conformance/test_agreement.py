"""All exact schedulers agree on thousands of random instances of every kind: ``make conformance``."""

import numpy as np
import pytest

from tests.edgebatch.agreement import EXACT, agreed_size
from tests.edgebatch.instances import KINDS_OF_BOTH_COSTS, name_of, random_instance

REQUESTS = (6, 7, 8, 9, 10, 11, 12, 12, 14, 16, 18, 20, 22, 25, 25, 25, 30, 40)
"""Numbers of candidates of the instances of one kind."""


@pytest.mark.parametrize("kind", KINDS_OF_BOTH_COSTS, ids=name_of)
def test_all_exact_schedulers_agree_on_the_optimal_size(kind, record_property):
    for seed, requests in enumerate(REQUESTS):
        instance = random_instance(
            np.random.default_rng([seed, KINDS_OF_BOTH_COSTS.index(kind)]), requests, **kind
        )
        assert 0 <= agreed_size(instance) <= requests
        for exact in EXACT:
            record_property("compared", (kind["regime"], str(exact), exact.takes(instance)))
