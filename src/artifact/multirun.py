"""Plain Hydra: ``python -m artifact.multirun --multirun +experiment=NAME`` reads the same files.

The workflow caches, draws and decides; this runs the settings of one experiment in a row, with Hydra's own
sweeper, and prints the throughput of each. A sample of the assumptions is left to the workflow.
"""

from __future__ import annotations

from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from artifact.compose import Composed, setting
from artifact.simulate import run


@hydra.main(config_path=str(Path.cwd() / "conf"), config_name="config", version_base="1.3")
def main(composed: DictConfig) -> None:
    """Simulate one job of the sweep."""
    data = OmegaConf.to_container(composed, resolve=True)
    assert isinstance(data, dict)
    choices = {str(group): str(name) for group, name in HydraConfig.get().runtime.choices.items()}
    result, _ = run(setting(Composed({str(key): value for key, value in data.items()}, choices)), code="")
    served = [replicate["throughput_per_s"] for replicate in result["replicates"]]
    print(f"{HydraConfig.get().job.override_dirname}: {sum(served) / len(served):.4g} requests/s")


if __name__ == "__main__":
    main()
