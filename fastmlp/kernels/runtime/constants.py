"""The numbers by which kernels know activations, losses, optimizers and tasks (floor 2).

They are written here and not with the formulas in `model/` because compiled code has them built in: the cache's stamp
covers this folder only. `fastmlp.engines.simd` looks them up by name.
"""

CACHE_LINE = 64
"""`fastmlp.model.architecture.CACHE_LINE`: rows are padded to whole ones."""

IDENTITY, SIGMOID, TANH, RELU, LEAKY_RELU, ELU, GELU, SILU, SOFTMAX, EXPONENTIAL = range(10)
SQUARED_ERROR, ABSOLUTE_ERROR, HUBER, QUANTILE, BINARY_CROSS_ENTROPY, CROSS_ENTROPY, POISSON = range(7)
"""Those from BINARY_CROSS_ENTROPY on are differentiated by the logits, the others by the outputs."""
SGD, RMSPROP, ADAM = range(3)
CLASSES, BINARY, MULTILABEL, REGRESSION = range(4)

LEAKY_SLOPE = 0.01
HUBER_DELTA = 1.0
LARGEST_EXPONENT = 80.0

ONE_OF_GROUP = 16
"""How far apart the sums of the groups of `parallel.data_parallel` lie, which threads write: two cache lines."""
