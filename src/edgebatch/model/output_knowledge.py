"""What a service knows of output lengths before they are generated."""

from __future__ import annotations

import bisect

import numpy as np
from numpy.typing import NDArray

from edgebatch.schema import Checked, choice, real


class Knowledge(Checked):
    """How the output lengths that a scheduler sees come about.

    Attributes
    ----------
    kind
        ``exact``: they are the true ones. ``predicted``: the true ones times a log-normal error of median 1.
        ``quantile``: a quantile of the outputs of all earlier requests. ``worst_case``: the longest output
        of all requests.
    sigma
        Standard deviation of the logarithm of the error, for ``predicted``.
    quantile
        Which quantile, for ``quantile``.
    margin
        Factor on what is expected, for ``predicted`` and ``quantile``.
    """

    kind: str = choice("exact", "predicted", "quantile", "worst_case", default="exact")
    sigma: float = real(at_least=0, at_most=10, default=0.0)
    quantile: float = real(at_least=0, at_most=1, default=0.9)
    margin: float = real(above=0, at_most=100, default=1.0)


def expected_lengths(
    knowledge: Knowledge, output_tokens: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Output lengths that a scheduler sees, shape (requests,): at least 1, at most the longest.

    Parameters
    ----------
    output_tokens
        True lengths, in order of arrival, shape (requests,).
    """
    if knowledge.kind == "exact" or output_tokens.size == 0:
        return output_tokens
    longest = int(output_tokens.max())
    expected: NDArray[np.float64]
    if knowledge.kind == "predicted":
        error = np.exp(knowledge.sigma * rng.standard_normal(output_tokens.size))
        expected = output_tokens.astype(np.float64) * error
    elif knowledge.kind == "quantile":
        expected = _earlier_quantile(output_tokens, knowledge.quantile)
    else:
        return np.full_like(output_tokens, longest)
    return np.clip(np.rint(expected * knowledge.margin), 1, longest).astype(np.int64)


def _earlier_quantile(output_tokens: NDArray[np.int64], quantile: float) -> NDArray[np.float64]:
    """Quantile of all earlier values; the longest of all for the first."""
    seen: list[int] = []
    found = np.empty(output_tokens.size)
    for index, tokens in enumerate(output_tokens.tolist()):
        found[index] = seen[int(quantile * (len(seen) - 1))] if seen else output_tokens.max()
        bisect.insort(seen, tokens)
    return found
