"""The roofline's efficiencies, fitted to measured times and judged on others."""

from edgebatch.calibration.errors import Errors, errors_of
from edgebatch.calibration.fitting import fit
from edgebatch.calibration.measurement import Measurement, predict

__all__ = ["Errors", "Measurement", "errors_of", "fit", "predict"]
