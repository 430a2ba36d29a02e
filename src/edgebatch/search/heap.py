"""A max-heap in an array."""

from __future__ import annotations

from edgebatch.search.jit import compiled


@compiled(error_model="numpy", inner=True)
def sink(heap, size, value):  # type: ignore[no-untyped-def]
    """Replace the largest of a max-heap by `value`."""
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= value:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = value


@compiled(error_model="numpy", inner=True)
def rise(heap, size, value):  # type: ignore[no-untyped-def]
    """Add `value` to a max-heap of `size`."""
    at = size
    while at > 0 and heap[(at - 1) // 2] < value:
        heap[at] = heap[(at - 1) // 2]
        at = (at - 1) // 2
    heap[at] = value
