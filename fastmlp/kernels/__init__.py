"""The hot loops, in Numba (floor 1; imports numba, llvmlite and numpy, and nothing of ours outside this folder).

Kernels know arrays and integers, no object of ours. Arrays are flat and contiguous, and every position in them is an
index that the caller computes. See README.md in this folder for the ideas and the measurements behind them.
"""
