"""Exact k-means, the policy, codes, packing and tuning, against oracles."""

import itertools

import numpy as np
import pytest

from edgebatch.compression import techniques
from edgebatch.compression.compress import assemble
from edgebatch.compression.decoder.evaluation import judge, predictions
from edgebatch.compression.stored.coding import CODERS, entropy
from edgebatch.compression.stored.layer_file import read_layer, write_layer
from edgebatch.compression.stored.packing import from_bytes, in_bytes, pack, unpack
from edgebatch.compression.techniques._kmeans import centroids, nearest_level
from edgebatch.compression.techniques._policy import best_policy
from edgebatch.compression.techniques.loftq import low_rank
from edgebatch.compression.tuning import Tuner, Tuning
from edgebatch.errors import InputError
from tests.edgebatch.compression.tiny import OPTIONS, SHAPE, compressed, decoder, reference, text

RNG = np.random.default_rng(0)


def _clusters_error(numbers, weights, cuts):
    """Weighted squared error of clusters that begin at cuts of the sorted numbers."""
    total = 0.0
    for part, of in zip(np.split(numbers, cuts), np.split(weights, cuts), strict=True):
        if of.sum() > 0:
            total += (of * (part - (of * part).sum() / of.sum()) ** 2).sum()
    return total


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_kmeans_leaves_the_least_error_of_all_clusters(k):
    for _ in range(20):
        n = int(RNG.integers(k, 12))
        numbers = np.sort(RNG.standard_normal(n)).astype(np.float32)
        weights = (RNG.random(n) ** 3 * (RNG.random(n) > 0.2)).astype(np.float32)
        levels = centroids(numbers[None], weights[None], k)
        chosen = levels[0][nearest_level(numbers[None], levels)[0]]
        found = (weights * (numbers.astype(float) - chosen) ** 2).sum()
        best = min(_clusters_error(numbers, weights, c) for c in itertools.combinations(range(1, n), k - 1))
        assert found == pytest.approx(best, rel=1e-4, abs=1e-9)
        assert (np.diff(levels[0]) >= 0).all()


def test_kmeans_with_more_levels_than_numbers_has_no_error():
    numbers = RNG.standard_normal((3, 5)).astype(np.float32)
    levels = centroids(numbers, np.ones_like(numbers), 8)
    np.testing.assert_allclose(np.take_along_axis(levels, nearest_level(numbers, levels), axis=1), numbers)


def test_the_policy_has_the_least_error_of_all_that_meet_the_budget():
    costs = [(2, 0), (2, 50), (4, 0), (4, 50)]
    for _ in range(10):
        errors = RNG.random((4, len(costs))).tolist()
        for budget in ((12, 100), (8, 0), (16, 50)):
            policies = [
                levels
                for levels in itertools.product(range(len(costs)), repeat=4)
                if tuple(np.sum([costs[level] for level in levels], axis=0)) == budget
            ]
            found = best_policy(errors, costs, budget)

            def error(levels, errors=errors):
                return sum(of[level] for of, level in zip(errors, levels, strict=True))

            assert tuple(found) in policies
            assert error(found) == pytest.approx(min(map(error, policies)))


def test_edge_llm_meets_its_budget_exactly():
    layers = compressed("edge_llm", 0)
    bits = [layer["up"].bits for layer in layers]
    kept = [1.0 if layer["up"].kept is None else layer["up"].kept.mean() for layer in layers]
    assert np.mean(bits) == OPTIONS["edge_llm"][0]["mean_weight_bits"]
    assert 1 - np.mean(kept) == OPTIONS["edge_llm"][0]["mean_pruned_percent"] / 100


@pytest.mark.parametrize(
    "change", [{"mean_weight_bits": 4.1}, {"mean_weight_bits": 7.0}, {"mean_pruned_percent": 60}]
)
def test_a_budget_that_no_policy_meets_is_refused(change):
    technique = techniques.get("edge_llm", OPTIONS["edge_llm"][0] | change)
    with pytest.raises(InputError, match="in the mean, expected means of 3 layers"):
        technique.begin(reference())


@pytest.mark.parametrize("bits", range(1, 9))
def test_packed_numbers_take_their_bits_and_come_back(bits):
    numbers = RNG.integers(2**bits, size=1001).astype(np.uint8)
    packed = pack(numbers, bits)
    assert packed.nbytes == -(-1001 * bits // 8)
    np.testing.assert_array_equal(unpack(packed, bits, 1001), numbers)


@pytest.mark.parametrize("bits", range(1, 9))
def test_numbers_that_share_bytes_come_back(bits):
    numbers = RNG.integers(2**bits, size=1001).astype(np.uint8)
    shared = in_bytes(numbers, bits)
    assert shared.size == -(-1001 // (8 // bits))
    np.testing.assert_array_equal(from_bytes(shared, bits, 1001), numbers)


SYMBOLS = {
    "gaussian": np.clip(RNG.normal(128, 12, 300_000), 0, 255).astype(np.uint8),
    "few": np.clip(RNG.normal(3.5, 1.2, 300_000), 0, 7).astype(np.uint8),
    "flat": RNG.integers(256, size=300_000).astype(np.uint8),
    "one": np.full(1000, 7, dtype=np.uint8),
    "single": np.array([255], dtype=np.uint8),
}


@pytest.mark.parametrize("coder", CODERS)
@pytest.mark.parametrize("kind", SYMBOLS)
def test_what_was_coded_comes_back(coder, kind):
    symbols = SYMBOLS[kind]
    coded = CODERS[coder].encode(symbols)
    np.testing.assert_array_equal(CODERS[coder].decode(coded, symbols.size), symbols)


@pytest.mark.parametrize("kind", ["gaussian", "few", "flat"])
def test_huffman_is_within_two_percent_of_the_entropy(kind):
    symbols, bits = SYMBOLS[kind], 3 if kind == "few" else 8
    coded = 8 * CODERS["huffman"].encode(in_bytes(symbols, bits)).nbytes
    assert symbols.size * entropy(symbols) <= coded <= 1.02 * symbols.size * entropy(symbols)


def test_the_entropy_of_equal_shares_is_the_logarithm_of_their_number():
    assert entropy(np.arange(64, dtype=np.uint8)) == pytest.approx(6)


def test_a_file_that_is_cut_short_or_names_an_unknown_tensor_is_refused_in_a_line(tmp_path):
    layer = compressed("rtn", 0)[0]
    write_layer(tmp_path / "whole", layer)
    whole = (tmp_path / "whole").read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])
    write_layer(tmp_path / "other", {"colour": layer["up"]})
    for name in ("cut", "other", "none"):
        with pytest.raises(InputError) as refused:
            read_layer(tmp_path / name)
        assert str(tmp_path / name) in str(refused.value)
        assert "\n" not in str(refused.value)


def test_an_unknown_form_is_refused_and_writes_nothing(tmp_path):
    with pytest.raises(InputError, match="did you mean zstd"):
        write_layer(tmp_path / "layer", compressed("rtn", 0)[0], "zst")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [(40, 60), (60, 40), (8, 60)])
def test_an_approximation_of_low_rank_is_nearly_the_best(shape):
    weights = RNG.standard_normal(shape).astype(np.float32)
    best = np.sqrt((np.linalg.svd(weights, compute_uv=False)[4:] ** 2).sum())
    assert np.linalg.norm(weights - low_rank(weights, 4).product()) < 1.002 * best


TUNING = Tuning((2, 3), 2, 4, 30, 0.01, 0.0, 0)


def _tuned(tuning, steps):
    tuner = Tuner(decoder(), compressed("rtn", 0), reference().text, tuning)
    return [tuner.step() for _ in range(steps)], tuner.tuned()


def test_a_step_of_tuning_changes_the_window_before_its_exit_and_nothing_else():
    tuning = Tuning((2, 3), 1, 4, 1, 0.01, 0.0, 0)
    (step,), layers = _tuned(tuning, 1)
    before = compressed("rtn", 0)
    changed = [
        number
        for number in range(SHAPE.layers)
        if any((layers[number][n].decode() != before[number][n].decode()).any() for n in before[number])
    ]
    assert changed == [step.exit - 1]


def test_tuning_lowers_the_loss_of_the_text_that_it_sees():
    before, after = (
        judge(
            assemble(decoder(), layers), reference().text, predictions(decoder(), reference().text)
        ).nll.mean()
        for layers in (compressed("rtn", 0), _tuned(TUNING, 30)[1])
    )
    assert after < before - 0.1


def test_adapters_of_tuning_stand_beside_those_that_were_there():
    before = compressed("loftq", 0)
    tuned = Tuner(decoder(), before, text(), TUNING).tuned()
    assert tuned[0]["up"].adapter.left.shape[1] == before[0]["up"].adapter.left.shape[1] + TUNING.rank
    np.testing.assert_allclose(tuned[0]["up"].decode(), before[0]["up"].decode(), atol=1e-6)


def test_a_smaller_window_takes_less_memory():
    tuner, whole = (
        Tuner(decoder(), compressed("rtn", 0), reference().text, Tuning((3,), window, 4, 1, 0.01, 0.0, 0))
        for window in (1, 3)
    )
    assert tuner.step_bytes(3) < whole.step_bytes(3)


@pytest.mark.parametrize(("exits", "window"), [((2,), 1), ((2, 4), 1), ((1, 3), 2)])
def test_exits_and_windows_that_the_decoder_does_not_have_are_refused(exits, window):
    with pytest.raises(InputError, match=r"tuning\.(exits|window)"):
        _tuned(Tuning(exits, window, 4, 1, 0.01, 0.0, 0), 1)
