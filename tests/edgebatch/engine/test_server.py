"""What llama.cpp's own server answers, on the real model, untimed. `make engine` installs it."""

import numpy as np
import pytest

from edgebatch.engine.batch import run_batch
from edgebatch.engine.gguf_file import shipped_model
from edgebatch.engine.llama import Engine
from edgebatch.engine.server import Room, run_server
from edgebatch.errors import InputError

installed = pytest.importorskip("xllamacpp", reason="the engine is not installed: make engine")

OUTPUTS = (9, 4, 7)
ROOM = Room(sequences=2, context_tokens=64, threads=2)
PATIENCE_S = 300.0


def _prompts():
    rng = np.random.default_rng(1)
    return [rng.integers(1, 1000, size=n).tolist() for n in (5, 23, 12)]


def _text(token_ids):
    """What tokens say, by the vocabulary of the file: GPT-2's letters for bytes."""
    from gguf import GGUFReader

    field = GGUFReader(shipped_model()).fields["tokenizer.ggml.tokens"]
    letters = "".join(bytes(field.parts[field.data[i]]).decode() for i in token_ids)
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    table = {chr(byte): byte for byte in plain} | {chr(256 + n): byte for n, byte in enumerate(others)}
    return bytes(table[letter] for letter in letters).decode()


@pytest.fixture(scope="module")
def together():
    return run_server(shipped_model(), ROOM, np.zeros(3), _prompts(), OUTPUTS, PATIENCE_S)


def test_the_server_answers_each_request_once_with_what_the_engine_says(together):
    engine = Engine(shipped_model(), sequences=1, context_tokens=64, threads=2)
    alone = [run_batch(engine, [p], [n]).tokens[0] for p, n in zip(_prompts(), OUTPUTS, strict=True)]
    engine.close()
    assert sorted(together) == [0, 1, 2]
    same = [together[i].text == _text(tokens) for i, tokens in enumerate(alone)]
    # the likeliest token may turn where two are as likely but for the last bits
    assert sum(same) >= 2


def test_requests_end_after_they_enter_and_those_that_never_enter_have_no_answer():
    entry_s = np.array([0.3, np.inf, 0.0])
    answers = run_server(shipped_model(), ROOM, entry_s, _prompts(), OUTPUTS, PATIENCE_S)
    assert sorted(answers) == [0, 2]
    assert all(answers[i].last_s > entry_s[i] for i in answers)


def test_what_has_not_ended_when_time_is_over_has_no_answer():
    assert run_server(shipped_model(), ROOM, np.zeros(3), _prompts(), OUTPUTS, 1e-6) == {}


def test_a_file_that_is_no_model_and_a_prompt_that_is_too_long_are_refused_in_a_line(tmp_path):
    other = tmp_path / "other.gguf"
    other.write_bytes(b"no model")
    for path in (other, tmp_path / "none.gguf"):
        with pytest.raises(InputError) as refused:
            run_server(path, ROOM, np.zeros(3), _prompts(), OUTPUTS, PATIENCE_S)
        assert str(path) in str(refused.value)
        assert "\n" not in str(refused.value)
    with pytest.raises(InputError, match="request 0"):
        run_server(shipped_model(), ROOM, np.zeros(1), [[1] * 1000], [1], PATIENCE_S)
