"""The numbers by which kernels know activations, losses, optimizers and columns of their tables (floor 2).

They are written here and not with the formulas in `model/` because compiled code has them built in: the cache's stamp
covers this folder only. `fastmlp.engines.simd.engine` looks them up by name.
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

# Columns of the layer table: one row of integers a layer.
(
    FAN_IN, UNITS, STRIDE, WEIGHTS, BIAS, ACTIVATION, KEY, THRESHOLD, ROW, A, KEPT, D, Z, PACKED, TRANSPOSED,
    BLOCK, TURNED, LOW, HIGH, LEFT, RIGHT, BIAS_LEFT, BIAS_RIGHT, APART, LAYER_COLUMNS,
) = range(25)  # fmt: skip
"""Fan-in, units, padded units; where weights and bias start in the flat vector (bias: -1 without); the activation's
code; the hash below which dropout drops a unit (0: none); how far apart the rows of a chunk lie in the workspace; where
in the workspace start the layer's activations, the activations before dropout (the same place without dropout), deltas,
logits (-1: not kept), and packed weights and packed transposed weights (-1: not needed); of how many rows the
gradient is computed at a time, where the optimizer takes it straight away; and whether both packed weights are the
transposed ones row by row, as `few_units` reads them. Each thread has a table of its own, for the
rest says what it owns: of the weights the rows from LOW to HIGH, columns from LEFT to RIGHT, and of the bias the
numbers from BIAS_LEFT to BIAS_RIGHT; and how far apart rows of weights lie in its vectors: of a first layer of which it
owns columns it has no others, and WEIGHTS is where column 0 would be."""

ONE_OF_GROUP = 16
"""How far apart the sums of the groups of `groups` lie, which several threads write: two cache lines."""

# Entries of the settings, floats.
(
    L1, L2, WEIGHT_DECAY, MOMENTUM, NESTEROV, DECAY, BETA_1, BETA_2, EPSILON, EPSILON_HAT, LEVEL, CLIP_NORM,
    CLIP_L1, CLIP_L2, SETTINGS,
) = range(15)  # fmt: skip
"""Penalties; the optimizer's own; the level of the quantile; the length that a gradient may have
(0: any), and the penalties in the place of the first two, where it is clipped: they are added before and not with the
optimizer's step."""
