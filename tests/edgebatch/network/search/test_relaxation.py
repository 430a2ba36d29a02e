"""Bounds of a network, and the exact search of one node that they rest on."""

import dataclasses
from itertools import islice

import numpy as np
import pytest

from edgebatch import solve
from edgebatch.network import solve_network
from edgebatch.network.search.bound import upper_bound
from edgebatch.network.search.cuts import Cuts
from edgebatch.network.search.dive import dive
from edgebatch.network.search.moves import Filling, improve
from edgebatch.network.search.pricing import Pricer
from edgebatch.network.search.relaxation import NOTHING, Relaxation
from edgebatch.network.search.start_prices import start_prices
from tests.edgebatch.instances import KINDS_OF_ALL_COSTS, random_instance, take
from tests.edgebatch.network.random_networks import random_network, sample


def test_a_node_that_is_priced_takes_the_heaviest_of_its_batches():
    for number in range(96):
        rng = np.random.default_rng(number)
        instance = random_instance(rng, 12, **KINDS_OF_ALL_COSTS[47 * number % len(KINDS_OF_ALL_COSTS)])
        pricer = Pricer(instance, np.arange(12))
        for _ in range(3):
            worth = rng.uniform(-1, 1, 12)
            wanted = np.flatnonzero(worth > 0)
            priced = pricer.heaviest(worth)
            of_worth = dataclasses.replace(take(instance, wanted), weight=worth[wanted])
            assert priced.worth == pytest.approx(solve(of_worth, "enumeration").weight, rel=1e-9)
            assert priced.bound == pytest.approx(priced.worth, rel=1e-9)
            assert worth[priced.batch].sum() == pytest.approx(priced.worth, rel=1e-9)


def test_a_search_of_a_node_that_is_cut_off_brackets_the_worth():
    for number in range(64):
        rng = np.random.default_rng(number)
        instance = random_instance(rng, 40, **KINDS_OF_ALL_COSTS[47 * number % len(KINDS_OF_ALL_COSTS)])
        pricer, worth = Pricer(instance, np.arange(40)), rng.uniform(0, 1, 40)
        best = pricer.heaviest(worth).worth
        for spare, node_limit in ((0.0, 2), (0.0, 20), (0.2, 10**6)):
            priced = pricer.heaviest(worth, spare, node_limit)
            assert priced.worth <= best * (1 + 1e-9)
            assert best <= priced.bound * (1 + 1e-9)
            if node_limit == 10**6:
                assert priced.bound <= priced.worth + spare + 1e-9


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("node_limit", [2, 10**6])
def test_the_relaxation_bounds_every_schedule_at_any_prices(weighted, node_limit):
    for number, (network, optimum) in enumerate(sample(24, weighted)):
        relaxation, rng = Relaxation(network), np.random.default_rng(number)
        for scale in (0.0, 0.3, 1.0, 2.0):
            prices = scale * rng.uniform(0, 1, network.size) * network.weight
            assert relaxation.at(prices, node_limit).bound >= optimum * (1 - 1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_steps_of_the_prices_lower_the_bound_and_never_below_the_optimum(weighted):
    lowered = 0
    for network, optimum in sample(24, weighted):
        cuts = Cuts(Relaxation(network))
        schedule = solve_network(network, "gah", bound=False)
        batches = [np.array(batch, np.int64) for batch in schedule.batches]
        prices = start_prices(network, batches)
        assert (prices >= 0).all()
        assert (prices <= network.weight).all()
        found = list(islice(cuts.relaxation.descent(prices, schedule.weight, 1000), 10))
        found += islice(cuts.refinement(found[-1], 1000, 0.0), 6)
        bounds = [relaxed.bound for relaxed in found]
        assert min(bounds) >= optimum * (1 - 1e-9)
        lowered += min(bounds) < bounds[0] - 1e-9
    assert lowered > 3


@pytest.mark.parametrize("weighted", [False, True])
def test_an_upper_bound_needs_no_search_for_a_schedule(weighted):
    tight = 0
    for network, optimum in sample(48, weighted):
        bound = upper_bound(network, solve_network(network, "best_channel", bound=False))
        assert bound >= optimum * (1 - 1e-9)
        tight += bound <= optimum * (1 + 1e-6)
    assert tight > 24


@pytest.mark.parametrize("weighted", [False, True])
def test_a_joint_search_without_steps_still_has_a_bound_that_holds(weighted):
    for network, optimum in sample(24, weighted):
        schedule = solve_network(network, "joint", rounds=0, fine_rounds=0, moves_per_node=0)
        assert schedule.weight <= optimum * (1 + 1e-9)
        assert optimum <= schedule.upper_bound * (1 + 1e-9)


def test_dives_and_moves_serve_nobody_twice_and_lose_no_weight():
    for seed in range(8):
        network = random_network(seed, 4, 30, weighted=seed % 2 == 0)
        cuts, rng = Cuts(Relaxation(network)), np.random.default_rng(seed)
        prices = rng.uniform(0, 0.5, network.size) * network.weight
        cuts.add(cuts.relaxation.at(prices, 100))
        filling = Filling(cuts.relaxation, [NOTHING] * 4)
        filling.settle(dive(cuts, prices, range(4), filling.free))
        weights = [filling.weight]
        for _ in range(4):
            filling = improve(filling, prices, 3, np.inf, rng)
            weights.append(filling.weight)
            served = np.concatenate(filling.batches)
            assert np.unique(served).size == served.size
            assert np.array_equal(np.flatnonzero(~filling.free), np.sort(served))
        assert weights == sorted(weights)
