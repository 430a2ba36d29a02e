"""Measurements of others: read, fitted and judged as `conf/calibration/` says."""
