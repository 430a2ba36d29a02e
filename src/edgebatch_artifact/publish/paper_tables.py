"""The tables of the paper that no experiment owns: models, quantization techniques, assumptions, claims."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from edgebatch.model.llm import Llm
from edgebatch_artifact.analysis.claims import Decision
from edgebatch_artifact.publish.table import Table, plain
from edgebatch_artifact.settings.assumptions import ValuedAssumption


def models_table(models: Iterable[Mapping[str, Any]]) -> Table:
    """The shapes of all models, with the costs that follow from them at 16 bits."""
    rows = []
    for model in models:
        llm = Llm(model["layers"], model["hidden_size"], model["ffn_size"])
        weights, cache = llm.weight_bytes / 1e9, llm.kv_bytes_per_token / 1e6
        shape = (llm.layers, llm.hidden_size, llm.ffn_size)
        rows.append((model["label"], *map(str, shape), f"{weights:.1f}", f"{cache:.2f}"))
    head = ("Model", "Layers", "Width", "FFN", "Weights (GB)", "KV (MB/token)")
    rows.sort(key=lambda row: (row[0].partition("-")[0], float(row[4])))
    return Table("Model shapes, and their memory at 16 bits", "models", head, tuple(rows), "lrrrrr")


def quantizations_table(techniques: Iterable[Mapping[str, Any]], models: Mapping[str, str]) -> Table:
    """Rise of perplexity of every technique, for some models (file to name), with its data set."""
    rows = []
    for technique in techniques:
        quantized, before = technique["perplexity"], technique["fp16"]["perplexity"]
        rises = [
            f"{quantized[model] - before[model]:.2f}" if model in quantized and model in before else "–"
            for model in models
        ]
        bits = f"{technique['weight_bits']:g}/{technique['kv_bits']:g}"
        rows.append((technique["label"], bits, *rises, technique["fp16"]["dataset"]))
    head = ("Technique", "Bits", *models.values(), "Data set")
    caption = "Quantization techniques: bits of weights/KV, and rise of perplexity over FP16 by model"
    columns = "ll" + "r" * len(models) + "l"
    return Table(caption, "quantization", head, tuple(sorted(rows, key=_by_bits)), columns, wide=True)


def _by_bits(row: tuple[str, ...]) -> tuple[str, float, str]:
    return row[-1], -float(row[1].partition("/")[0]), row[0]


def assumptions_table(assumptions: Sequence[ValuedAssumption]) -> Table:
    """Every assumption: its value in the configuration that is used, its range, how sure we are."""
    rows = []
    for valued in assumptions:
        entry = valued.entry
        drawn = entry.range or entry.choices
        span = " to ".join(map(plain, entry.range)) if entry.range else ", ".join(entry.choices or ())
        value = f"{plain(valued.value)} {entry.unit}".strip()
        rows.append((entry.meaning, value, span if drawn else "–", f"[{entry.certainty}]", entry.source))
    head = ("Assumption", "Value", "Range drawn", "Certainty", "Source")
    caption = "What the results rest on, and how sure we are of it"
    columns = "p{0.25\\linewidth}p{0.15\\linewidth}p{0.17\\linewidth}lp{0.25\\linewidth}"
    return Table(caption, "assumptions", head, tuple(rows), columns, wide=True)


def claims_table(decisions: Sequence[Decision]) -> Table:
    """Claims, in short: what was measured and the verdict."""
    rows = tuple((d.claim.id, d.claim.says, d.measured, d.verdict) for d in decisions)
    columns = "lp{0.3\\linewidth}p{0.42\\linewidth}l"
    return Table(
        "Claims, decided", "claims", ("Id", "Claim", "Measured", "Verdict"), rows, columns, wide=True
    )
