"""Statistics of predictions: metrics with confidence intervals, comparisons, calibration, conformal sets and slices."""
