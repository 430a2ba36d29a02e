"""From a Hydra configuration to figures, tables, claims and the paper."""
