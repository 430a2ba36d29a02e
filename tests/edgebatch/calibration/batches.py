"""Batches of a small model on a small node, with times that are chosen or computed step by step."""

from edgebatch.calibration import Measurement
from edgebatch.model.llm import Llm
from edgebatch.model.quantization import Quantization
from edgebatch.model.roofline import Roofline
from edgebatch.model.system import EdgeNode, Slots, System

LAYERS, WIDTH, FFN = 24, 2048, 8192
FLOPS, BYTES_PER_S = 1e14, 1e12
SYSTEM = System(
    Slots(1.0, 1.0, 1.0),
    Llm(LAYERS, WIDTH, FFN),
    Quantization(16, 16, 1.0, 1.0),
    EdgeNode(FLOPS, 1e11, 2),
    cost=Roofline(BYTES_PER_S),
)
EFFICIENCIES = {
    "prefill_flops_share": 0.6,
    "decode_flops_share": 0.4,
    "bandwidth_share": 0.8,
    "layer_s": 2e-4,
}
SHAPES = [(a, s, n) for a in (1, 8, 64, 512) for s in (16, 128, 1024) for n in (2, 50)]


def measurement(quantity, batch, prompt_tokens, output_tokens, value=1.0):
    return Measurement(SYSTEM, quantity, batch, prompt_tokens, output_tokens, value)


def batches(quantities=("prompt_s", "token_s"), values=None):
    """Measurements of all shapes; `values` are theirs, or 1."""
    bare = [measurement(quantity, *shape) for shape in SHAPES for quantity in quantities]
    if values is None:
        return bare
    return [
        measurement(m.quantity, m.batch, m.prompt_tokens, m.output_tokens, float(value))
        for m, value in zip(bare, values, strict=True)
    ]


def stepwise(m, share_of_prefill, share_of_decode, share_of_bandwidth, constant_s):
    """The time of the first stage, or the mean of the later steps, as the sum of single steps."""
    weights = LAYERS * (4 * WIDTH**2 + 2 * WIDTH * FFN)
    read_s = 1 / (BYTES_PER_S * share_of_bandwidth)
    cache = 4 * LAYERS * WIDTH  # bytes a token
    flops = 2 * weights * m.prompt_tokens + 4 * LAYERS * WIDTH * m.prompt_tokens**2
    first_s = constant_s + max(
        m.batch * flops / (FLOPS * share_of_prefill),
        (2 * weights + m.batch * m.prompt_tokens * cache) * read_s,
    )
    steps = []
    for token in range(1, m.output_tokens):
        context = m.prompt_tokens + token
        arithmetic_s = m.batch * (2 * weights + 4 * LAYERS * WIDTH * context) / (FLOPS * share_of_decode)
        steps.append(constant_s + max(arithmetic_s, (2 * weights + m.batch * context * cache) * read_s))
    return first_s if m.quantity == "prompt_s" else sum(steps) / len(steps)
