"""How fast fastmlp is on this machine: what `fastmlp bench` and the benchmarks measure with (floor 10).

`machine` says what a figure was measured on, `timing` takes times in turns, `products` runs matrix products and the
loop that shows the processor's peak. Nothing is imported before it is asked for, since an environment variable that
holds NumPy's BLAS to one thread must be set before NumPy is.
"""
