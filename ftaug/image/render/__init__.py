"""Resampling, colors and filters, on the CPU and on the GPU."""
