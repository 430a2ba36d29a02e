"""Continuous batching, one step at a time and one request at a time, with every rule as it is written down.

It shares no code with `edgebatch.serving`. Costs come from the formulas of the model. Each step checks that
the cache holds what it is asked to hold.
"""

import math

from tests.edgebatch.layer_oracle import Layers
from tests.edgebatch.oracle import Shape


def step_s(system, decodes, chunks):
    """Time of a step: contexts of the requests in decode, and (done, tokens, last) of each chunk."""
    shape, cost, llm = Shape(system.llm), system.cost, system.llm
    flop_s = system.quantization.compute_factor / system.edge_node.flops / cost.pooled_share
    output, layers = 2 * shape.output_layer, Layers(system)
    taken = len(decodes), sum(own for _, own, _ in chunks)
    prefill = 0
    for done, tokens, last in chunks:
        before = shape.first_flops(done) - output if done else 0
        prefill += shape.first_flops(done + tokens) - output - before + (output if last else 0)
    attention = sum(shape.token_flops(context) - shape.token_flops(0) for context in decodes)
    decode = len(decodes) * shape.token_flops(0) + attention / cost.attention_share
    prefill, decode = (
        f + layers.more_flops() * t for f, t in zip((prefill, decode), reversed(taken), strict=True)
    )
    arithmetic_s = flop_s * (prefill / cost.prefill_flops_share + decode / cost.decode_flops_share)
    cached = sum(decodes) + sum(done + own for done, own, _ in chunks)
    read = layers.read_bytes(sum(taken))
    read += system.quantization.kv_bits / 16 * 4 * llm.layers * shape.keys * cached
    traffic_s = read / cost.memory_bandwidth_bytes_per_s / cost.bandwidth_share / cost.pooled_share
    overhead_s = cost.step_s + llm.layers * cost.layer_s + layers.load_s()
    return (max(arithmetic_s, traffic_s) + overhead_s) / layers.serving_share()


def serve(system, arrivals, prompts, outputs, priority, limits):
    """First and last token, tokens made, and preemptions of each request; None for those turned away."""
    number, now = len(arrivals), 0.0
    fits = [p + n - 1 <= limits.kv_capacity_tokens for p, n in zip(prompts, outputs, strict=True)]
    coming = [i for i in range(number) if fits[i]]
    waiting, running, recomputed = [], [], set()
    made, cached, taken = [0] * number, [0] * number, [0] * number
    first, last, preempted = [None] * number, [None] * number, [0] * number

    def whole(i):
        """Tokens that a request needs in the cache before its next token."""
        return prompts[i] + made[i]

    while coming or waiting or running:
        while coming and arrivals[coming[0]] <= now:
            waiting.append(coming.pop(0))
        if not waiting and not running:
            now = max(now, arrivals[coming[0]])
            continue
        while sum(whole(i) for i in running) > limits.kv_capacity_tokens:
            newest = running.pop()
            taken[newest] = 0
            preempted[newest] += 1
            recomputed.add(newest)
            waiting.append(newest)
        # the last token of what is recomputed is one of its prompt tokens, even in a step by itself
        decoding = [i for i in running if made[i] > 0 and i not in recomputed]
        prefilling = [i for i in running if i not in decoding]
        budget = limits.max_step_tokens - len(decoding) - sum(whole(i) - taken[i] for i in prefilling)
        while waiting and budget > 0:
            chosen = min(waiting, key=lambda i: (priority[i], i))
            room = limits.kv_capacity_tokens - sum(whole(i) for i in running)
            if len(running) >= limits.max_sequences or whole(chosen) > room:
                break
            waiting.remove(chosen)
            running.append(chosen)
            prefilling.append(chosen)
            budget -= whole(chosen)
        budget, chunks, ended = max(1, limits.max_step_tokens - len(decoding)), [], []
        for i in prefilling:
            own = min(budget, whole(i) - taken[i])
            if own:
                chunks.append((taken[i], own, taken[i] + own == whole(i)))
                taken[i] += own
                budget -= own
                if taken[i] == whole(i):
                    ended.append(i)
                    recomputed.discard(i)
        for i in decoding:
            taken[i] = whole(i)
        cached = sum(taken[i] for i in running)
        assert cached <= limits.kv_capacity_tokens, "the cache holds more than it can"
        assert chunks or decoding, "nobody runs although somebody could"
        now += step_s(system, [whole(i) for i in decoding], chunks)
        for i in decoding + ended:
            made[i] += 1
            first[i] = now if made[i] == 1 else first[i]
            if made[i] == outputs[i]:
                last[i] = now
                running.remove(i)
    return first, last, made, preempted


def same(found, expected):
    """Whether times agree to rounding, and are missing together."""
    return all(
        math.isnan(a) if b is None else math.isclose(a, b, rel_tol=1e-9)
        for a, b in zip(found, expected, strict=True)
    )
