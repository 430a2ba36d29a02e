"""An experiment file that can be used, and ways to spoil it, with the key that the refusal names."""

GOOD = """\
# @package _global_
hydra:
  sweeper:
    params:
      model: bloom_3b,bloom_7b1
      workload.arrival_rate: 10,20

simulation: {epochs: 1, seeds: 2}

figure:
  title: Load
  caption: Throughput against load.
  draw: lines
  x: {key: workload.arrival_rate, label: Arrival rate (requests/s)}
  y: {columns: {throughput_per_s: Throughput}, label: Throughput (requests/s)}
  lines: model
"""

SPOILT = {
    "a misspelt swept key": ("arrival_rate", "arival_rate", "hydra.sweeper.params.workload.arival_rate"),
    "an unknown model": ("bloom_3b,bloom_7b1", "bloom_3b,bloom_7b", "hydra.sweeper.params.model"),
    "an empty sweep": ("bloom_3b,bloom_7b1", "", "hydra.sweeper.params.model"),
    "a misspelt key of the figure": ("  title: Load", "  titel: Load", "figure.titel"),
    "a misspelt override": ("{epochs: 1, seeds: 2}", "{epoch: 1, seeds: 2}", "simulation.epoch"),
    "an override out of range": ("{epochs: 1, seeds: 2}", "{epochs: 0, seeds: 2}", "simulation.epochs"),
    "a figure of a key that is not swept": ("      workload.arrival_rate: 10,20\n", "", "figure.x.key"),
    "a value out of range": ("10,20", "10,-20", "workload.arrival_rate"),
    "a value of the wrong type": ("10,20", "10,twenty", "workload.arrival_rate"),
    "an unknown column": ("{throughput_per_s: ", "{throughput: ", "figure.y.columns.throughput"),
    "a gap to no scheduler": ("{throughput_per_s: ", "{gap: ", "figure.y.columns.gap"),
    "a gap to a scheduler that is not swept": (
        "requests/s)}\n  lines",
        "requests/s), relative_to: dftsp}\n  lines",
        "figure.y.relative_to",
    ),
    "an unknown form of figure": ("draw: lines", "draw: pie", "figure.draw"),
    "broken YAML": ("  draw: lines", "  draw: [lines", "line"),
}


def spoil(how: str) -> tuple[str, str]:
    """The text of a spoilt experiment file, and the key to be named."""
    old, new, key = SPOILT[how]
    assert old in GOOD
    return GOOD.replace(old, new), key
