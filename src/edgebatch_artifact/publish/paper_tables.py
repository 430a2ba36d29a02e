"""The tables of the paper that no experiment owns: models, quantization techniques, assumptions, claims."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from edgebatch.model.llm import Llm
from edgebatch.schema import read
from edgebatch_artifact.analysis.decision import Decision
from edgebatch_artifact.publish.table import Table, plain
from edgebatch_artifact.settings.assumptions import ValuedAssumption


def models_table(models: Iterable[Mapping[str, Any]]) -> Table:
    """The shapes of all models, their parameters as counted and as published, and their cache at 16 bits."""
    rows = sorted(
        (_model_row(model) for model in models), key=lambda row: (row[0].partition("-")[0], row[-1])
    )
    head = ("Model", "Layers", "Width", "FFN", "Heads", "Counted", "Left out", "Published", "KV (MB/token)")
    caption = (
        "Models: layers (encoder + decoder), FFN (x experts), heads (query/key), parameters in billions that"
        " the cost model counts, those of embeddings that it leaves out, and those published; 16-bit cache"
    )
    return Table(caption, "models", head, tuple(row[:-1] for row in rows), "lrrrrrrrr", wide=True)


def _model_row(model: Mapping[str, Any]) -> tuple[Any, ...]:
    """Cells of a model, and its size to sort by."""
    llm = read(Llm, {key: value for key, value in model.items() if key in Llm.__dataclass_fields__})
    layers = f"{llm.encoder_layers} + {llm.layers}" if llm.encoder_layers else str(llm.layers)
    ffn = f"{llm.ffn_size} x {llm.experts}" if llm.experts > 1 else str(llm.ffn_size)
    left_out, published = model.get("left_out_parameters", 0), model.get("published_parameters")
    return (
        *(model["label"], layers, str(llm.hidden_size), ffn, f"{llm.query_heads}/{llm.kv_heads}"),
        f"{llm.parameters / 1e9:.2f}",
        f"{left_out / 1e9:.2f}" if left_out else "–",
        f"{published / 1e9:.2f}" if published else "–",
        f"{llm.kv_bytes_per_token / 1e6:.2f}",
        llm.parameters,
    )


def quantizations_table(techniques: Iterable[Mapping[str, Any]], models: Mapping[str, str]) -> Table:
    """Rise of perplexity of the techniques that have any of some models (file to name), and its data set."""
    rows = []
    for technique in techniques:
        quantized, before = technique["perplexity"], technique["fp16"]["perplexity"]
        if not quantized.keys() & models.keys():
            continue
        rises = [
            f"{quantized[model] - before[model]:.2f}" if model in quantized and model in before else "–"
            for model in models
        ]
        if not quantized.keys() & models.keys():
            continue
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
    """Claims and their verdicts; what was measured of each is on the claims page."""
    rows = tuple((d.claim.id, d.claim.says, d.verdict) for d in decisions)
    caption = "Claims, decided. CLAIMS.md has what was measured of each, and where it is otherwise"
    return Table(caption, "claims", ("Id", "Claim", "Verdict"), rows, "lp{0.8\\linewidth}l", wide=True)
