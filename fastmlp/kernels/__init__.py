"""The hot loops, in Numba (floor 2).

Kernels know arrays and integers, no object of ours. Arrays are flat and contiguous, and every position in them is an
index that the caller computes. See README.md in this folder for the ideas and the measurements behind them.
"""
