"""What kernels are made of: compiling and caching, SIMD vectors, records, constants (floor 2)."""
