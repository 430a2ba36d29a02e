"""An experiment file that can be used, for tests to write, change and spoil."""

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
