"""Decoders in GGUF files: what is read, what is refused, and what llama.cpp says of the shipped one."""

import numpy as np
import pytest

from edgebatch.compression.decoder.decoder import MATRICES, predict
from edgebatch.compression.decoder.model_file import read_decoder
from edgebatch.engine.gguf_file import requantize, shipped_model
from edgebatch.engine.llama import Engine, Part
from edgebatch.errors import InputError
from tests.edgebatch.compression.tiny import SHAPE, decoder, write_gguf


def test_a_decoder_is_read_as_it_was_written(tmp_path):
    found, first = read_decoder(write_gguf(tmp_path / "tiny.gguf", decoder()), 1e12)
    assert first == 1
    assert found.shape[:6] == SHAPE[:6]
    np.testing.assert_array_equal(found.embedding, decoder().embedding)
    for name, stack in decoder().layers.items():
        np.testing.assert_array_equal(found.layers[name], stack)


def _broken():
    broken = decoder()
    broken.layers["down"][0, 0, 0] = np.inf
    return broken


def _narrow():
    return decoder()._replace(layers=decoder().layers | {"up": decoder().layers["up"][:, :, :-8]})


REFUSED = {
    "other": (lambda path: write_gguf(path, decoder(), "gpt2"), "general.architecture: found 'gpt2'"),
    "lacking": (lambda path: write_gguf(path, decoder(), leave_out=("blk.1.ffn_up",)), "no such tensor"),
    "infinite": (lambda path: write_gguf(path, _broken()), "found a weight that is no finite number"),
    "narrow": (lambda path: write_gguf(path, _narrow()), r"blk.0.ffn_up.weight: found shape \(48, 24\)"),
    "text": (lambda path: path.write_text("no model"), "expected a whole GGUF file"),
    "none": (lambda path: None, "found no such file"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_that_is_no_whole_decoder_is_refused_in_a_line_with_its_name(kind, tmp_path):
    make, words = REFUSED[kind]
    path = tmp_path / f"{kind}.gguf"
    make(path)
    with pytest.raises(InputError, match=words) as refused:
        read_decoder(path, 1e12)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_cut_short_is_refused(tmp_path):
    whole = write_gguf(tmp_path / "whole.gguf", decoder()).read_bytes()
    for share in (0.1, 0.5, 0.9):
        path = tmp_path / "cut.gguf"
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(InputError, match=r"cut\.gguf"):
            read_decoder(path, 1e12)


def test_rounding_to_16_bits_leaves_norms_and_moves_no_weight_far(tmp_path):
    found = decoder()._replace(layers={name: stack * 1.0001 for name, stack in decoder().layers.items()})
    rounded = found.rounded()
    for name, stack in found.layers.items():
        if name in MATRICES:
            np.testing.assert_allclose(rounded.layers[name], stack, rtol=2**-11, atol=2**-25)
        else:
            np.testing.assert_array_equal(rounded.layers[name], stack)


def test_the_shipped_decoder_predicts_what_llama_cpp_predicts(tmp_path):
    """With weights and cache of 32 bits: llama.cpp rounds activations to those of the weights."""
    pytest.importorskip("cyllama", reason="the engine is not installed: make engine")
    path = tmp_path / "f32.gguf"
    requantize(shipped_model(), path, "F32", 2)
    found, _ = read_decoder(path, 1e12)
    tokens = np.random.default_rng(0).integers(found.shape.vocabulary, size=12)
    engine = Engine(path, 1, 16, 2, cache_bits=32)
    logits = np.array([engine.logits(Part(0, place, [int(t)], 0)) for place, t in enumerate(tokens)])
    engine.close()
    logits -= logits.max(axis=1, keepdims=True)
    theirs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(predict(found, tokens[None])[0], theirs, atol=1e-2)
