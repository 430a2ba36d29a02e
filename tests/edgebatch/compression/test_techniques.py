"""Every technique of the registry, found by its file, keeps these promises; and those of its paper."""

import numpy as np
import pytest

from edgebatch.compression import techniques
from edgebatch.compression.compress import assemble, compress, decoded
from edgebatch.compression.decoder.decoder import INPUT_OF, MATRICES, output_error, run_layer
from edgebatch.compression.hessian import hessians
from edgebatch.compression.reference import Reference
from edgebatch.compression.stored.layer_file import FORMS, PACKED, read_layer, write_layer
from edgebatch.compression.techniques.gptq import row_errors
from edgebatch.errors import InputError
from tests.edgebatch.compression.tiny import CASES, OPTIONS, SHAPE, compressed, decoder, reference, text

each_case = pytest.mark.parametrize(("name", "case"), CASES)


def _same(one, other):
    """Whether two matrices are equal in all their parts, and so in what they decode to."""
    return (
        one.bits == other.bits
        and np.array_equal(one.indices, other.indices)
        and np.array_equal(one.decode(), other.decode())
    )


@pytest.mark.parametrize("form", FORMS)
@each_case
def test_what_is_read_from_a_file_decodes_to_what_was_written(name, case, form, tmp_path):
    for number, layer in enumerate(compressed(name, case)):
        write_layer(tmp_path / f"{number}", layer, form)
        again = read_layer(tmp_path / f"{number}")
        assert list(again) == list(MATRICES)
        for matrix in MATRICES:
            assert _same(again[matrix], layer[matrix])


@each_case
def test_indices_are_below_the_number_of_levels_and_weights_are_finite(name, case):
    for layer in compressed(name, case):
        for matrix in layer.values():
            assert matrix.indices.max() < 2**matrix.bits
            assert np.isfinite(matrix.decode()).all()


@each_case
def test_a_packed_file_has_the_bits_of_its_indices_and_little_more_than_its_parts(name, case, tmp_path):
    layer = compressed(name, case)[0]
    write_layer(tmp_path / "layer", layer, PACKED)
    size = (tmp_path / "layer").stat().st_size
    bits = sum(matrix.bits * matrix.symbols.size for matrix in layer.values())
    assert size > bits / 8
    # names, shapes and offsets of tensors; scales, tables, sparse parts and adapters are below 16 bits
    assert size < bits / 8 + 6000 + 2 * sum(matrix.indices.size for matrix in layer.values())


@each_case
def test_the_same_call_gives_the_same_weights(name, case):
    again = compress(techniques.get(name, OPTIONS[name][case]), Reference(decoder(), text()))
    for one, other in zip(compressed(name, case), again, strict=True):
        for matrix in MATRICES:
            assert _same(one[matrix], other[matrix])


@each_case
def test_a_run_that_was_ended_goes_on_with_the_same_layers(name, case):
    technique = techniques.get(name, OPTIONS[name][case])
    whole = compressed(name, case)
    (last,) = compress(technique, reference(), whole[:-1])
    for matrix in MATRICES:
        assert _same(last[matrix], whole[-1][matrix])
    assert list(compress(technique, reference(), whole)) == []


@each_case
def test_a_weight_that_is_no_number_is_refused_in_a_line_that_names_it(name, case):
    broken = decoder()
    broken.layers["up"][1, 2, 3] = np.nan
    with pytest.raises(InputError, match="layer 1, up: found a weight that is no finite number"):
        list(compress(techniques.get(name, OPTIONS[name][case]), Reference(broken, text())))


@each_case
def test_an_unknown_option_and_one_that_is_missing_are_refused(name, case):
    options = OPTIONS[name][case]
    with pytest.raises(InputError, match=r"options\.colour: found an unknown key"):
        techniques.get(name, options | {"colour": 1})
    with pytest.raises(InputError, match="found nothing"):
        techniques.get(name, {key: value for key, value in options.items() if key != next(iter(options))})


def test_an_unknown_technique_is_refused_with_those_that_there_are():
    with pytest.raises(InputError, match="did you mean gptq"):
        techniques.get("gptqq", {})


def test_an_assembled_decoder_has_the_compressed_matrices_and_all_else_as_it_was():
    layers = compressed("rtn", 0)
    whole = assemble(decoder(), layers)
    np.testing.assert_array_equal(whole.layers["up"][1], layers[1]["up"].decode())
    np.testing.assert_array_equal(whole.embedding, decoder().embedding)
    np.testing.assert_array_equal(whole.layers["ffn_norm"], decoder().layers["ffn_norm"])


def test_rounding_to_the_nearest_is_off_by_half_a_step_at_most():
    weights = decoder().layers["gate"][0]
    matrix = compressed("rtn", 0)[0]["gate"]
    step = np.asarray(matrix.levels.scales, dtype=float)
    assert (np.abs(matrix.decode() - weights) <= 0.505 * step).all()


@pytest.mark.parametrize("case", range(len(OPTIONS["gptq"])))
def test_gptq_is_never_worse_than_rtn_in_the_error_of_any_output(case):
    options = OPTIONS["gptq"][case]
    rtn = {"weight_bits": options["weight_bits"], "scale_of": "channel", "group": options["group"]}
    first = decoder().layer(0)
    rounded = next(compress(techniques.get("rtn", rtn), reference()))
    found = hessians(SHAPE, first, reference().embedded)
    sums = []
    for name in MATRICES:
        hessian = found[INPUT_OF[name]]
        damping = options["damping"] * np.diag(hessian).mean() * np.eye(len(hessian))
        ours, theirs = (
            row_errors(matrix.decode() - first[name], hessian + damping)
            for matrix in (compressed("gptq", case)[0][name], rounded[name])
        )
        assert (ours <= theirs * (1 + 1e-5)).all()
        sums.append((ours.sum(), theirs.sum()))
    ours, theirs = np.sum(sums, axis=0)
    assert ours < 0.8 * theirs


def _fisher_error(layers):
    total = 0.0
    for number, layer in enumerate(layers):
        for name in MATRICES:
            difference = layer[name].decode() - decoder().layers[name][number]
            total += float((reference().fisher[name][number] * difference.astype(float) ** 2).sum())
    return total


def _squeezed(weighted, sensitive=0.0, outliers=0.0, bits=3):
    options = {"weight_bits": bits, "weighted": weighted}
    shares = {"sensitive_share": sensitive, "outlier_share": outliers}
    return list(compress(techniques.get("squeezellm", options | shares), reference()))


def test_weighted_kmeans_is_never_worse_than_uniform_levels_in_fisher_weighted_error():
    uniform = compressed("rtn", 0)
    for number, (ours, theirs) in enumerate(zip(_squeezed(True), uniform, strict=True)):
        for name in MATRICES:
            fisher, weights = reference().fisher[name][number], decoder().layers[name][number]
            own, other = (
                (fisher * (layer[name].decode().astype(float) - weights) ** 2).sum(axis=1)
                for layer in (ours, theirs)
            )
            # levels are rounded to 16 bits
            assert (own <= other * 1.001 + 1e-15).all()
    assert _fisher_error(_squeezed(True)) < _fisher_error(_squeezed(False)) < _fisher_error(uniform)


def test_each_kind_of_sparse_weight_lowers_the_fisher_weighted_error():
    none = _fisher_error(_squeezed(True))
    one = _fisher_error(_squeezed(True, sensitive=0.01))
    assert one < 0.95 * none
    assert _fisher_error(_squeezed(True, sensitive=0.01, outliers=0.02)) < 0.95 * one


def test_the_shares_of_the_sparse_part_are_met():
    for layer in _squeezed(True, sensitive=0.01):
        for matrix in layer.values():
            assert matrix.sparse.values.size == round(0.01 * matrix.indices.size)


def test_apiq_trains_below_the_error_of_no_adapters_and_of_the_start_of_loftq():
    exact = run_layer(SHAPE, decoder().layer(0), reference().embedded)

    def error(layer):
        output = run_layer(SHAPE, decoded(decoder().layer(0), layer), reference().embedded)
        return float(output_error(output, exact))

    rtn = techniques.get("rtn", {"weight_bits": 2, "scale_of": "channel", "group": 16})
    ours = error(compressed("apiq", 0)[0])
    assert ours < 0.7 * error(next(compress(rtn, reference())))
    assert ours < error(compressed("loftq", 0)[0])


def test_loftq_is_nearer_to_the_weights_than_rounding_alone():
    rtn = techniques.get("rtn", {"weight_bits": 2, "scale_of": "channel", "group": 16})
    both = zip(compressed("loftq", 0), compress(rtn, reference()), strict=True)
    for number, pair in enumerate(both):
        weights = decoder().layer(number)
        for name in MATRICES:
            own, other = (np.linalg.norm(layer[name].decode() - weights[name]) for layer in pair)
            assert own < other
