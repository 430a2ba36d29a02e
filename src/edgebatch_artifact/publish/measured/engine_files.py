"""A measured engine as files of conf/, which any experiment can name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from edgebatch.calibration.errors import errors_of
from edgebatch.calibration.fitting import BOUNDS
from edgebatch_artifact.engine.measurement import Machine, Measurement
from edgebatch_artifact.engine.outcome import REFERENCE
from edgebatch_artifact.publish.measured.edge_node_files import ENDING, efficiency
from edgebatch_artifact.settings.configuration import ModelConfig

WRITTEN = "# Written by `artifact calibrate`; do not edit."


Fits = tuple[dict[str, dict[str, float]], pd.DataFrame]
"""What `edgebatch_artifact.engine.fits.fit_formats` returns."""


def engine_files(measurement: Measurement, fits: Fits, models: Mapping[str, ModelConfig]) -> dict[str, str]:
    """The text of each file by its path in conf/, without ending.

    Every format of the weights has a node, as it reaches shares of the peaks of its own, and a technique of
    quantization, whose speed-up is therefore 1. A model gets a file too, if none of `models` has its shape.
    """
    machine, name = measurement.machine, measurement.name
    shape = dataclasses.asdict(machine.llm)
    of_that_shape = (
        known for known, entry in models.items() if shape.items() <= dataclasses.asdict(entry).items()
    )
    model = next(of_that_shape, None)
    files = {} if model else {f"model/{name}_model": _model(measurement)}
    model = model or f"{name}_model"
    perplexities = np.exp(measurement.perplexity.groupby("format")["mean_nll"].mean())
    files[f"fp16_perplexity/{name}"] = _baseline(measurement, model, perplexities[REFERENCE])
    efficiencies, points = fits
    for format in machine.formats:
        fitted = int(points[points["format"] == format]["fitted"].sum())
        place = f"{name}_{format.lower()}"
        files[f"edge_node/{place}{ENDING}"] = _node(measurement, format, fitted, efficiencies[format])
        files[f"quantization/{place}"] = _technique(measurement, format, model, perplexities[format])
    return files


def fit_lines(measurement: Measurement, fits: Fits) -> Iterator[str]:
    """What the fit of each format says, a line each: rates, constants, and errors on what was held out."""
    machine = measurement.machine
    efficiencies, points = fits
    for format, shares in efficiencies.items():
        rest = points[(points["format"] == format) & ~points["fitted"]]
        errors = errors_of(rest["calibrated"], rest["median"])
        prefill, decode = (
            shares[f"{stage}_flops_share"] * machine.flops / 1e9 for stage in ("prefill", "decode")
        )
        bandwidth = shares["bandwidth_share"] * machine.bandwidth_bytes_per_s / 1e9
        yield (
            f"{measurement.name}, {format}: {prefill:.3g} GFLOPS in first stages, {decode:.3g} in later"
            f" steps, {bandwidth:.3g} GB/s, {1e6 * shares['layer_s']:.3g} us a layer;"
            f" on {errors.rows} points held out, median error {100 * errors.median:.2g} %,"
            f" 90th percentile {100 * errors.p90:.2g} %"
        )


def _source(measurement: Measurement) -> str:
    machine, folder = measurement.machine, f"measurements/engine/{measurement.name}/"
    return f"# Source: {folder}, {machine.date}: {machine.model}, {machine.engine}"


def _node(measurement: Measurement, format: str, fitted: int, shares: Mapping[str, float]) -> str:
    machine = measurement.machine
    lines = [
        _source(measurement) + ",",
        f"# {machine.processor}; fitted to {fitted} points of {format}.",
        WRITTEN,
        f"label: {machine.threads} cores, llama.cpp with {format}",
        f"devices: {machine.threads}",
        f"device_flops: {_significant(machine.flops / machine.threads)}",
        f"memory_bytes: {_significant(machine.memory_bytes)}",
        f"device_bandwidth_bytes_per_s: {_significant(machine.bandwidth_bytes_per_s / machine.threads)}",
        "efficiencies:",
        *(f"  {field}: {efficiency(shares[field])}" for field in BOUNDS if field in shares),
    ]
    return "\n".join(lines) + "\n"


def _technique(measurement: Measurement, format: str, model: str, perplexity: float) -> str:
    name = measurement.name
    lines = [
        _source(measurement) + ".",
        f"# Its speed is that of the node, edge_node={name}_{format.lower()}{ENDING}.",
        WRITTEN,
        "defaults:",
        f"  - /fp16_perplexity@fp16: {name}",
        "  - _self_",
        f"label: llama.cpp {format}",
        f"weight_bits: {measurement.machine.formats[format].bits:.6g}",
        "activation_bits: 16",
        "kv_bits: 16",
        "speedup: 1",
        "perplexity:",
        f"  {model}: {perplexity:.6g}",
    ]
    return "\n".join(lines) + "\n"


def _baseline(measurement: Measurement, model: str, perplexity: float) -> str:
    machine = measurement.machine
    samples = machine.settings.perplexity
    lines = [
        _source(measurement) + ", whose weights count as 16 bits.",
        WRITTEN,
        f"dataset: {samples.sequences} answers of {machine.model}, {samples.tokens} tokens each",
        "perplexity:",
        f"  {model}: {perplexity:.6g}",
    ]
    return "\n".join(lines) + "\n"


def _model(measurement: Measurement) -> str:
    machine: Machine = measurement.machine
    shape = {key: value for key, value in dataclasses.asdict(machine.llm).items() if value is not None}
    lines = [
        _source(measurement) + ".",
        WRITTEN,
        f"label: {machine.model.removesuffix('.gguf')}",
        *(f"{key}: {str(value).lower()}" for key, value in shape.items()),
    ]
    return "\n".join(lines) + "\n"


def _significant(value: float) -> str:
    """Four significant digits, as a number of YAML 1.1."""
    return f"{value:.3e}"
