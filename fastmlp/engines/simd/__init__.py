"""The fast engine: prepares data and memory for the SIMD kernels and calls them (floor 5)."""
