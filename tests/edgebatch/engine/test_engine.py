"""What the engine computes, on the real model; nothing here is timed. `make engine` installs it."""

import numpy as np
import pytest

from edgebatch.engine.batch import run_batch
from edgebatch.engine.gguf_file import read_weights, shipped_model
from edgebatch.engine.llama import Engine, Part
from edgebatch.errors import InputError

installed = pytest.importorskip("cyllama", reason="the engine is not installed: make engine")

LENGTHS, OUTPUTS = (5, 23, 12), (9, 4, 7)


@pytest.fixture(scope="module")
def engine():
    made = Engine(shipped_model(), sequences=4, context_tokens=64, threads=2)
    yield made
    made.close()


def _prompts():
    rng = np.random.default_rng(1)
    return [rng.integers(1, 1000, size=n).tolist() for n in LENGTHS]


def test_the_same_batch_gives_the_same_tokens(engine):
    first, again = (run_batch(engine, _prompts(), OUTPUTS).tokens for _ in range(2))
    assert first == again
    assert [len(answer) for answer in first] == list(OUTPUTS)


def test_a_padded_prompt_in_a_batch_gets_the_logits_that_it_gets_alone(engine):
    prompts = _prompts()
    longest = max(map(len, prompts))
    for i, prompt in enumerate(prompts):
        padded = [*prompt, *[prompt[-1]] * (longest - len(prompt))]
        engine.clear()
        alone = np.array(engine.logits(Part(0, 0, prompt, len(prompt) - 1)))
        engine.clear()
        others = [Part(j + 1, 0, other, None) for j, other in enumerate(prompts) if j != i]
        engine.extend(others)
        beside = np.array(engine.logits(Part(0, 0, padded, len(prompt) - 1)))
        np.testing.assert_allclose(beside, alone, atol=1e-2 * np.abs(alone).max())


def test_a_batch_gives_each_request_the_tokens_that_it_gets_alone(engine):
    together = run_batch(engine, _prompts(), OUTPUTS).tokens
    alone = [run_batch(engine, [p], [n]).tokens[0] for p, n in zip(_prompts(), OUTPUTS, strict=True)]
    same = [a == b for mine, own in zip(together, alone, strict=True) for a, b in zip(mine, own, strict=True)]
    # the likeliest token may turn where two are as likely but for the last bits
    assert np.mean(same) >= 0.9
    assert [answer[0] for answer in together] == [answer[0] for answer in alone]


def test_the_shape_of_the_shipped_model_is_that_of_its_file():
    weights = read_weights(shipped_model(), 1e12)
    assert weights.format == "Q4_1"
    norms = (2 * weights.llm.layers + 1) * weights.llm.hidden_size
    assert weights.parameters == weights.llm.parameters + norms


def test_a_file_that_is_cut_short_or_no_model_or_too_large_is_refused_in_a_line(tmp_path):
    whole = shipped_model().read_bytes()
    cut, other = tmp_path / "cut.gguf", tmp_path / "other.gguf"
    cut.write_bytes(whole[: len(whole) // 2])
    other.write_bytes(b"no model")
    for path, memory in ((cut, 1e12), (other, 1e12), (tmp_path / "none.gguf", 1e12), (shipped_model(), 1e6)):
        with pytest.raises(InputError) as refused:
            read_weights(path, memory)
        assert str(path) in str(refused.value)
        assert "\n" not in str(refused.value)
