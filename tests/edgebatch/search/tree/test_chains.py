from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgebatch.search.tree.chains import chains
from tests.edgebatch.instances import steady

# few values, so that ties in one share, in both and in the length are common
requests = st.lists(
    st.tuples(
        st.integers(0, 2), st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.4]), st.sampled_from([0.0, 0.1, 0.2, 0.3])
    ),
    max_size=9,
)
one_length = st.lists(st.tuples(st.just(0), st.floats(0, 1), st.floats(0, 1)), max_size=9)


def _chains(given_requests):
    length, uplink, downlink = (np.array(column) for column in zip(*given_requests, strict=True))
    return chains(length, uplink, downlink)


def _members(given_requests):
    """The requests of each chain, in order of rank."""
    if not given_requests:
        return []
    chain, rank, chain_length = _chains(given_requests)
    members = [{} for _ in chain_length]
    for i, (k, place) in enumerate(zip(chain.tolist(), rank.tolist(), strict=True)):
        assert place not in members[k]
        members[k][place] = i
    assert all(sorted(places) == list(range(len(places))) for places in members)
    return [[places[place] for place in sorted(places)] for places in members]


def _longest_antichain(points) -> int:
    def apart(a, b):
        return (a[0] < b[0] and a[1] > b[1]) or (a[0] > b[0] and a[1] < b[1])

    def unordered(batch):
        return all(apart(a, b) for a, b in combinations(batch, 2))

    sizes = (n for n in range(len(points), 0, -1) if any(map(unordered, combinations(points, n))))
    return next(sizes, 0)


@steady
@given(requests)
def test_every_request_is_in_one_chain_and_no_chain_is_empty(given_requests):
    members = _members(given_requests)
    assert sorted(i for chain in members for i in chain) == list(range(len(given_requests)))
    assert all(members)


@steady
@given(requests)
def test_both_shares_rise_along_a_chain(given_requests):
    for chain in _members(given_requests):
        for column in (1, 2):
            shares = [given_requests[i][column] for i in chain]
            assert shares == sorted(shares)


@steady
@given(requests)
def test_a_chain_has_one_output_length_and_chains_are_in_order_of_length(given_requests):
    members = _members(given_requests)
    if members:
        chain_length = _chains(given_requests)[2].tolist()
        assert [{given_requests[i][0] for i in chain} for chain in members] == [{k} for k in chain_length]
        assert chain_length == sorted(chain_length)


@steady
@given(requests)
def test_chains_are_as_few_as_the_largest_set_of_requests_that_no_chain_can_share(given_requests):
    groups = {}
    for length, uplink, downlink in given_requests:
        groups.setdefault(length, []).append((uplink, downlink))
    assert len(_members(given_requests)) == sum(map(_longest_antichain, groups.values()))


@steady
@given(one_length)
def test_chains_are_fewest_for_shares_without_ties_too(given_requests):
    assert len(_members(given_requests)) == _longest_antichain([request[1:] for request in given_requests])


def test_shares_that_move_together_make_one_chain_for_each_length():
    given_requests = [(n, share, 2 * share) for n in (0, 1, 2) for share in (0.3, 0.1, 0.2)]
    assert _members(given_requests) == [[1, 2, 0], [4, 5, 3], [7, 8, 6]]


def test_shares_that_move_apart_make_a_chain_of_each_request():
    assert len(_members([(0, share, 1 - share) for share in (0.1, 0.5, 0.3)])) == 3


def test_a_request_joins_the_chain_whose_end_is_nearest_below_it():
    # the third may only follow the second; the last may follow both ends, 0.3 and 0.5, and 0.5 is nearer
    given_requests = [(0, 0.1, 0.5), (0, 0.2, 0.2), (0, 0.3, 0.3), (0, 0.4, 0.6)]
    assert _members(given_requests) == [[0, 3], [1, 2]]
