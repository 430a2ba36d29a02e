"""All exact schedulers agree on thousands of random instances of every kind: ``make conformance``."""

from itertools import product

import numpy as np
import pytest

from edgebatch import schedulers
from tests.edgebatch.agreement import EXACT, agreed_size, agreed_weight
from tests.edgebatch.instances import (
    BILLINGS,
    KINDS,
    KINDS_OF_ALL_COSTS,
    MODELS_OF_TODAY,
    name_of,
    of_today,
    random_instance,
    with_weights,
)
from tests.edgebatch.techniques import TECHNIQUES, with_techniques

REQUESTS = (6, 7, 8, 9, 10, 11, 12, 13, 20, 30)
"""Numbers of candidates of the instances of one kind."""


def _agree(instance, record_property, regime):
    size = agreed_size(instance)
    for exact in EXACT:
        record_property("compared", (regime, str(exact), exact.takes(instance)))
    return size


@pytest.mark.parametrize("kind", KINDS_OF_ALL_COSTS, ids=name_of)
def test_all_exact_schedulers_agree_on_the_optimal_size(kind, record_property):
    for seed, requests in enumerate(REQUESTS):
        rng = np.random.default_rng([seed, KINDS_OF_ALL_COSTS.index(kind)])
        instance = random_instance(rng, requests, **kind)
        assert 0 <= _agree(instance, record_property, kind["regime"]) <= requests


@pytest.mark.parametrize(("model", "billing"), list(product(MODELS_OF_TODAY, BILLINGS)))
def test_all_exact_schedulers_agree_on_models_of_today(model, billing, record_property):
    for seed, kind in enumerate(KINDS[::2]):
        rng = np.random.default_rng([seed, 12])
        instance = of_today(random_instance(rng, 6 + seed % 8, **kind), rng, model, billing)
        assert 0 <= _agree(instance, record_property, kind["regime"]) <= 13


@pytest.mark.parametrize(("technique", "billing"), list(product(TECHNIQUES, BILLINGS)))
def test_all_exact_schedulers_agree_on_nodes_with_techniques(technique, billing, record_property):
    for seed, kind in enumerate(KINDS_OF_ALL_COSTS[::8]):
        rng = np.random.default_rng([seed, 14])
        plain = random_instance(rng, 6 + seed % 8, **kind | {"billing": billing})
        assert 0 <= _agree(with_techniques(plain, rng, technique), record_property, kind["regime"]) <= 13


@pytest.mark.parametrize("whole", [True, False], ids=["priorities", "any weights"])
@pytest.mark.parametrize("kind", KINDS_OF_ALL_COSTS[::2], ids=name_of)
def test_all_exact_schedulers_agree_on_the_largest_weight(kind, whole, record_property):
    for seed, requests in enumerate(REQUESTS[::2]):
        rng = np.random.default_rng([seed, 16, whole, KINDS_OF_ALL_COSTS.index(kind)])
        instance = with_weights(random_instance(rng, requests, **kind), rng, whole)
        assert 0 <= agreed_weight(instance) <= instance.weight.sum() * (1 + 1e-9)
        for exact in EXACT:
            if schedulers.takes_weights(exact.name):
                record_property("compared", (f"{kind['regime']} weighted", str(exact), exact.takes(instance)))
