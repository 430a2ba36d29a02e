"""Times of single operators, summed to the steps that they make up.

A step of a decoder passes each layer's operators once, its norm twice, then the head and the sampler once for
each sequence. The profile has attention for prompts without earlier context and for decoding.
"""

from __future__ import annotations

import pandas as pd

IN_LAYER = {
    "layernorm": 2,
    "qkv_proj": 1,
    "rotary_emb": 1,
    "o_proj": 1,
    "gate_up_proj": 1,
    "act_fn": 1,
    "down_proj": 1,
}
"""Operators of a layer beside attention, and how often it passes each."""

ONCE = ("embedding", "final_layernorm")
"""Operators that a step passes once."""


def step_times(
    dense: pd.DataFrame, attention: pd.DataFrame, per_sequence: pd.DataFrame, layers: int
) -> pd.DataFrame:
    """A row for each step: batch, prompt_tokens, output_tokens, and prompt_s or token_s in seconds.

    Parameters
    ----------
    dense
        Columns layer, tokens, time_us: operators that depend on the number of tokens alone.
    attention
        Columns prefill_chunk, kv_prefill, n_decode, kv_decode, time_us: a prompt's chunk after kv_prefill
        tokens, and sequences that each read kv_decode tokens. Rows with both, or with kv_prefill, are no
        step of a batch of equal requests, and are left out.
    per_sequence
        Columns layer, sequences, time_us: the head and the sampler.
    """
    by_tokens = dense.pivot(index="tokens", columns="layer", values="time_us")
    by_sequences = per_sequence.pivot(index="sequences", columns="layer", values="time_us").sum(axis=1)
    outside = by_tokens[list(ONCE)].sum(axis=1)
    in_layer = sum(count * by_tokens[operator] for operator, count in IN_LAYER.items())
    pure = attention[
        (attention["kv_prefill"] == 0) & (attention["prefill_chunk"] * attention["n_decode"] == 0)
    ]
    rows = []
    for row in pure.itertuples():
        decoding = row.prefill_chunk == 0
        tokens, sequences = (row.n_decode, row.n_decode) if decoding else (row.prefill_chunk, 1)
        if tokens not in by_tokens.index or sequences not in by_sequences.index:
            continue
        layer_us = in_layer[tokens] + row.time_us
        step_s = (layers * layer_us + outside[tokens] + by_sequences[sequences]) * 1e-6
        # a step at a context of c tokens is the only later step of a prompt of c tokens and two outputs
        rows.append(
            {
                "batch": sequences,
                "prompt_tokens": row.kv_decode if decoding else row.prefill_chunk,
                "output_tokens": 2 if decoding else 1,
                "token_s" if decoding else "prompt_s": step_s,
            }
        )
    return pd.DataFrame(rows)
