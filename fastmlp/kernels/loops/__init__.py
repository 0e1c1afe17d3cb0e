"""A multilayer perceptron in plain loops, as a textbook writes them, compiled by Numba (floor 2).

The rung between NumPy (`engines/numpy_engine.py`) and the SIMD kernels beside this folder. It computes what the NumPy
engine computes, one sample at a time and number by number; each function names the one in NumPy that does the same.
Read in this order:

- `records`: what a network, its data and the memory for one sample are made of;
- `linear`: ``x @ W``, ``W @ d`` and the outer product of ``x`` and ``d``;
- `activations`, `losses`, `dropout`: scalar formulas;
- `samples`: a row of the data, as the network sees it, and its target;
- `sample`: forward and backward pass of one sample;
- `optimizers`: the step;
- `epoch`: batches, threads, and the functions that Python calls.
"""
