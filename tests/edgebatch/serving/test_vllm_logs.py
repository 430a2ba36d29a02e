"""The simulator of continuous batching against logs of vLLM, to which nothing was fitted."""

import numpy as np
import pytest
import yaml

from edgebatch import EdgeNode, Llm, Quantization, Roofline, Slots, System
from edgebatch.serving import Limits, latency, simulate_continuous
from edgebatch.serving.limits import cache_tokens
from tests.workflow.checkout import ROOT

LLAMA_3_1_8B = Llm(
    32, 4096, 14336, query_heads=32, kv_heads=8, ffn_matrices=3, vocabulary=128256, tied_embeddings=False
)


def _deviations(node, sequences, cache=None):
    """Relative deviation of the means of time to first token, time per token and time to the last."""
    shape = yaml.safe_load((ROOT / f"conf/edge_node/{node}_calibrated.yaml").read_text(encoding="utf-8"))
    cost = Roofline(shape["device_bandwidth_bytes_per_s"], **shape["efficiencies"])
    edge_node = EdgeNode(shape["device_flops"], shape["memory_bytes"], 1)
    fp16 = Quantization(16, 16, 1.0, 1.0)
    system = System(Slots(0.25, 1e6, 0.25), LLAMA_3_1_8B, fp16, edge_node, cost=cost)
    log = np.genfromtxt(ROOT / f"measurements/vllm/{node}.csv", delimiter=",", names=True)
    log = log[np.argsort(log["queued_s"], kind="stable")]
    queued_s = log["queued_s"]
    prompts, outputs = log["prompt_tokens"].astype(int), log["output_tokens"].astype(int)
    limits = Limits(sequences, max_step_tokens=2048, kv_capacity_tokens=cache or cache_tokens(system))
    found = latency(
        simulate_continuous(system, queued_s, prompts, outputs, queued_s, limits), queued_s, outputs
    )
    first_s, last_s = log["first_token_s"], log["last_token_s"]
    measured = (
        first_s - queued_s,
        (last_s - first_s)[outputs > 1] / (outputs[outputs > 1] - 1),
        last_s - queued_s,
    )
    simulated = found.ttft_s, found.tpot_s[outputs > 1], found.end_to_end_s
    return [a.mean() / b.mean() - 1 for a, b in zip(simulated, measured, strict=True)]


def test_mean_latencies_on_the_rtx_4090_are_within_eight_percent():
    assert np.abs(_deviations("rtx_4090", 256, 41_408)).max() < 0.08


def test_without_the_limit_of_its_cache_the_rtx_4090_would_seem_faster():
    ttft, _, end_to_end = _deviations("rtx_4090", 256, 10**6)
    assert ttft < -0.5
    assert end_to_end < -0.2


def test_mean_latencies_on_the_rtx_pro_6000_are_too_short():
    # docs/limits.md says so; nobody knows what its engine does beside the steps
    deviations = _deviations("rtx_pro_6000", 128)
    assert max(deviations) < 0
    assert min(deviations) == pytest.approx(-0.36, abs=0.03)
