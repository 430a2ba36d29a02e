"""The forward pass against one in numpy that is written differently, and against itself."""

import jax
import numpy as np

from edgebatch.compression.decoder.decoder import predict
from edgebatch.compression.decoder.evaluation import judge, most_confident, predictions
from edgebatch.compression.decoder.sampling import draw_text
from tests.edgebatch.compression.tiny import SHAPE, decoder, reference, text


def _normed(x, gains):
    return x / np.sqrt((x**2).mean() + SHAPE.norm_epsilon) * gains


def _turned(vector, position):
    """Pairs as complex numbers, turned by their positions."""
    pairs = vector[0::2] + 1j * vector[1::2]
    speeds = SHAPE.rotary_base ** (-2 * np.arange(pairs.size) / vector.size)
    pairs = pairs * np.exp(1j * position * speeds)
    return np.stack([pairs.real, pairs.imag], axis=1).ravel()


def _predicted(weights, tokens):
    """Log-likelihoods token by token and head by head, in double precision."""
    size, share = SHAPE.head_size, SHAPE.query_heads // SHAPE.kv_heads
    embedding = weights.embedding.astype(float)
    states = [embedding[token] for token in tokens]
    for number in range(SHAPE.layers):
        w = {name: array.astype(float) for name, array in weights.layer(number).items()}
        keys, values, after = [], [], []
        for position, x in enumerate(states):
            h = _normed(x, w["attention_norm"])
            keys.append([_turned(part, position) for part in (w["key"] @ h).reshape(-1, size)])
            values.append((w["value"] @ h).reshape(-1, size))
            heads = []
            for head, query in enumerate((w["query"] @ h).reshape(-1, size)):
                scores = [_turned(query, position) @ key[head // share] / size**0.5 for key in keys]
                shares = np.exp(np.array(scores) - max(scores))
                seen = np.array([value[head // share] for value in values])
                heads.append(shares @ seen / shares.sum())
            x = x + w["attention_output"] @ np.concatenate(heads)
            h = _normed(x, w["ffn_norm"])
            gate = w["gate"] @ h
            after.append(x + w["down"] @ (gate / (1 + np.exp(-gate)) * (w["up"] @ h)))
        states = after
    logits = np.array([embedding @ _normed(x, weights.final_norm) for x in states])
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def test_the_forward_pass_is_that_of_an_oracle_that_goes_token_by_token():
    tokens = text(1, 12)[0]
    np.testing.assert_allclose(predict(decoder(), tokens[None])[0], _predicted(decoder(), tokens), atol=2e-4)


def test_no_token_sees_a_later_one():
    first, other = text(2, 16)
    mixed = np.concatenate([first[:10], other[10:]])
    np.testing.assert_allclose(
        predict(decoder(), mixed[None])[0, :10], predict(decoder(), first[None])[0, :10]
    )


def test_text_is_drawn_from_what_the_whole_pass_predicts():
    drawn = draw_text(decoder(), 5, 3, 20, seed=7)
    assert (drawn[:, 0] == 5).all()
    likely, key = predict(decoder(), drawn), jax.random.key(7)
    for place in range(1, 20):
        key, own = jax.random.split(key)
        expected = jax.random.categorical(own, likely[:, place - 1])
        np.testing.assert_array_equal(drawn[:, place], expected)


def _other():
    """Other layers with the same embeddings."""
    return decoder()._replace(layers=decoder(2).layers)


def test_a_decoder_does_not_diverge_from_itself_and_another_does():
    tokens = text()
    exact = predictions(decoder(), tokens)
    same, other = (judge(one, tokens, exact) for one in (decoder(), _other()))
    np.testing.assert_allclose(same.divergence, 0, atol=1e-6)
    assert (other.divergence > 0.1).all()


def test_divergence_and_likelihood_are_those_of_the_predictions():
    tokens = text()
    found = judge(_other(), tokens, predictions(decoder(), tokens))
    theirs, ours = (predict(one, tokens)[:, :-1] for one in (decoder(), _other()))
    expected = (np.exp(theirs) * (theirs - ours)).sum(axis=2).mean(axis=1)
    np.testing.assert_allclose(found.divergence, expected, rtol=1e-4)
    nll = -np.take_along_axis(ours, tokens[:, 1:, None], axis=2).mean(axis=(1, 2))
    np.testing.assert_allclose(found.nll, nll, rtol=1e-5)


def test_the_vote_of_each_token_is_that_of_its_most_confident_exit():
    rng = np.random.default_rng(0)
    likely = np.log(rng.dirichlet(np.ones(8), (3, 5)))
    voted = np.asarray(most_confident(likely))
    for token in range(5):
        exits = [max(likely[exit, token]) for exit in range(3)]
        np.testing.assert_allclose(voted[token], likely[int(np.argmax(exits)), token], rtol=1e-6)


def test_fisher_information_is_the_mean_squared_slope_of_the_likelihood():
    """A weight is moved, and the change of each sequence's mean negative log-likelihood is the slope."""
    ref, move = reference(), 1e-2
    rng = np.random.default_rng(3)
    for name in ("query", "down"):
        layer, row, column = (int(rng.integers(size)) for size in ref.decoder.layers[name].shape)

        def nll(by, name=name, at=(layer, row, column)):
            stack = ref.decoder.layers[name].copy()
            stack[at] += by
            moved = ref.decoder._replace(layers=ref.decoder.layers | {name: stack})
            likely = predict(moved, ref.text)[:, :-1].astype(float)
            return -np.take_along_axis(likely, ref.text[:, 1:, None], axis=2).mean(axis=(1, 2))

        slopes = (nll(move) - nll(-move)) / (2 * move)
        np.testing.assert_allclose(ref.fisher[name][layer, row, column], (slopes**2).mean(), rtol=0.05)
