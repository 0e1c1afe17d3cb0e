import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.errors import ArgumentError, ArgumentTypeError
from fastmlp.model.architecture import CACHE_LINE, Architecture, Dense, aligned_zeros, padded
from fastmlp.model.initializers import Normal, Uniform, VarianceScaling, Zeros

builds = st.builds(
    lambda inputs, units, bias, dtype: Architecture.build(
        [inputs, *(Dense(n, bias=own) for n, own in units)], loss="squared_error", bias=bias, dtype=dtype
    ),
    inputs=st.integers(1, 40),
    units=st.lists(st.tuples(st.integers(1, 40), st.sampled_from([None, True, False])), min_size=1, max_size=4),
    bias=st.booleans(),
    dtype=st.sampled_from(["float32", "float64"]),
)


@pytest.mark.parametrize(("units", "width"), [(1, 16), (15, 16), (16, 16), (17, 32), (784, 784)])
def test_rows_are_padded_to_whole_cache_lines(units, width):
    assert padded(units, np.dtype(np.float32)) == width
    assert padded(units, np.dtype(np.float64)) == -(-units // 8) * 8


@pytest.mark.parametrize("size", [1, 15, 1000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_zeros_start_on_a_cache_line(size, dtype):
    zeros = aligned_zeros(size, np.dtype(dtype))
    assert zeros.shape == (size,) and zeros.dtype == dtype and not zeros.any()
    assert zeros.ctypes.data % 64 == 0 and zeros.flags.writeable


# --- the layout of the flat vector ---


@pytest.mark.parametrize(
    ("dtype", "stride", "starts", "size"),
    [("float32", 16, (0, 48, 64, 144), 160), ("float64", 8, (0, 32, 48, 96), 112)],
)
def test_a_layout_by_hand(dtype, stride, starts, size):
    # W: 3 rows of 5 in whole cache lines; b at the next multiple of 16 numbers; then 5 rows of 2, and its b.
    built = Architecture.build([3, 5, 2], dtype=dtype)
    first, second = built.layers
    assert (first.fan_in, first.units, first.stride) == (3, 5, stride)
    assert (second.fan_in, second.units, second.stride) == (5, 2, stride)
    assert (first.weights_start, first.bias_start, second.weights_start, second.bias_start) == starts
    assert built.flat_size == size
    assert built.n_parameters == 3 * 5 + 5 + 5 * 2 + 2


def test_without_bias_none_is_laid_out():
    built = Architecture.build([3, 5, 2], bias=False)
    assert [layer.bias_start for layer in built.layers] == [-1, -1]
    assert [b for _, b in built.views(built.zeros())] == [None, None]
    assert built.n_parameters == 3 * 5 + 5 * 2


@given(builds)
def test_weights_and_biases_share_no_number(built):
    flat = built.zeros()
    for W, b in built.views(flat):
        W += 1
        if b is not None:
            b += 1
    assert set(flat.tolist()) <= {0.0, 1.0}
    assert flat.sum() == built.n_parameters


@given(builds)
def test_views_have_the_shapes_of_the_layers(built):
    for layer, (W, b) in zip(built.layers, built.views(built.zeros()), strict=True):
        assert W.shape == (layer.fan_in, layer.units)
        assert (b is None) != layer.has_bias and (b is None or b.shape == (layer.units,))


@given(builds)
def test_every_part_starts_on_a_cache_line_and_holds_whole_vectors(built):
    assert built.flat_size % 16 == 0
    for layer in built.layers:
        line = CACHE_LINE // built.dtype.itemsize
        assert layer.stride % line == 0 and 0 <= layer.stride - layer.units < line
        assert layer.weights_start % 16 == 0
        assert layer.bias_start % 16 == 0 or layer.bias_start == -1


@given(builds)
def test_initial_padding_is_zero(built):
    flat = built.initialize(np.random.default_rng(0))
    for W, b in built.views(flat):
        W[...] = 0
        if b is not None:
            b[...] = 0
    assert not flat.any()


def test_the_start_is_the_same_in_either_dtype_up_to_rounding():
    one, two = (
        built.views(built.initialize(np.random.default_rng(0)))
        for built in (Architecture.build([4, 3, 2], dtype=dtype) for dtype in ("float32", "float64"))
    )
    for (W, b), (W_of_two, b_of_two) in zip(one, two, strict=True):
        np.testing.assert_array_equal(W, W_of_two.astype(np.float32))
        np.testing.assert_array_equal(b, b_of_two.astype(np.float32))


def test_weights_and_biases_are_drawn_by_their_initializers():
    layers = [50, Dense(40, initializer=Uniform(2, 3), bias_initializer=Normal(0.0, 7.0)), 3]
    built = Architecture.build(layers, initializer="zeros", bias_initializer=Uniform(-3, -2))
    (W1, b1), (W2, b2) = built.views(built.initialize(np.random.default_rng(0)))
    assert W1.min() >= 2 and W1.max() < 3 and (b1 == 7).all()
    assert not W2.any() and b2.max() < -2


# --- what is filled in ---


@pytest.mark.parametrize(
    ("loss", "activation"),
    [
        ("cross_entropy", "softmax"),
        ("binary_cross_entropy", "sigmoid"),
        ("squared_error", "identity"),
        ("absolute_error", "identity"),
        ("huber", "identity"),
        ("quantile", "identity"),
        ("poisson", "exponential"),
    ],
)
def test_the_output_belongs_to_the_loss(loss, activation):
    built = Architecture.build([4, 5, 3], hidden="tanh", loss=loss)
    assert [layer.activation for layer in built.layers] == ["tanh", activation]


def test_a_layer_decides_for_itself():
    built = Architecture.build([4, Dense(5, "elu", dropout=0.5, bias=False), Dense(3, "sigmoid")], loss="huber")
    hidden, output = built.layers
    assert (hidden.activation, hidden.dropout, hidden.has_bias) == ("elu", 0.5, False)
    assert (output.activation, output.dropout, output.has_bias) == ("sigmoid", 0.0, True)


def test_auto_initializes_for_the_activation():
    built = Architecture.build([4, Dense(5, "relu"), Dense(5, "tanh"), 3])
    he, xavier, last = (layer.initializer for layer in built.layers)
    assert he == VarianceScaling(2.0, "in", "uniform")
    assert xavier == last == VarianceScaling(1.0, "average", "uniform")
    assert built.layers[0].bias_initializer == Zeros()


def test_sizes_and_outputs():
    built = Architecture.build((784, 30, Dense(10)))
    assert built.sizes == (784, 30, 10) and built.outputs == 10 and built.inputs == 784


def test_an_architecture_survives_pickling():
    built = Architecture.build([4, Dense(5, dropout=0.5), 3], l1=0.1, l2=0.2, dtype="float64")
    assert pickle.loads(pickle.dumps(built)) == built


@pytest.mark.parametrize(
    "dense",
    [
        Dense(3),
        Dense(3, "relu", dropout=0.25),
        Dense(3, bias=False, initializer="he_normal", bias_initializer=Normal(0.5)),
    ],
)
def test_a_dense_prints_what_makes_it(dense):
    assert eval(repr(dense), {"Dense": Dense, "Normal": Normal}) == dense


@pytest.mark.parametrize(
    ("make", "error", "word"),
    [
        (lambda: Dense(0), ArgumentError, "units"),
        (lambda: Dense(-3), ArgumentError, "units"),
        (lambda: Dense(2**24 + 1), ArgumentError, "units"),
        (lambda: Dense(3.0), ArgumentTypeError, "whole number"),
        (lambda: Dense(True), ArgumentTypeError, "whole number"),
        (lambda: Dense("3"), ArgumentTypeError, "units"),
        (lambda: Dense(3, "rellu"), ArgumentError, "'relu'"),
        (lambda: Dense(3, dropout=1.0), ArgumentError, "dropout"),
        (lambda: Dense(3, dropout=-0.1), ArgumentError, "dropout"),
        (lambda: Dense(3, dropout=math.nan), ArgumentError, "dropout"),
        (lambda: Dense(3, dropout="half"), ArgumentTypeError, "dropout"),
        (lambda: Dense(3, dropout=True), ArgumentTypeError, "dropout"),
        (lambda: Dense(3, bias=1), ArgumentTypeError, "bias"),
        (lambda: Dense(3, initializer="xaver"), ArgumentError, "initializer"),
        (lambda: Dense(3, bias_initializer=0.0), ArgumentTypeError, "initializer"),
        (lambda: Architecture.build("784, 10"), ArgumentTypeError, "layers"),
        (lambda: Architecture.build(784), ArgumentTypeError, "layers"),
        (lambda: Architecture.build(np.array([784, 10])), ArgumentTypeError, "layers"),
        (lambda: Architecture.build([784]), ArgumentError, "at least one layer"),
        (lambda: Architecture.build([]), ArgumentError, "at least one layer"),
        (lambda: Architecture.build([Dense(784), 10]), ArgumentError, "number of inputs"),
        (lambda: Architecture.build([0, 10]), ArgumentError, "number of inputs"),
        (lambda: Architecture.build([784, 10.5]), ArgumentTypeError, "layer 1"),
        (lambda: Architecture.build([784, 30, None]), ArgumentTypeError, "layer 2"),
        (lambda: Architecture.build([4, 3], loss="mse"), ArgumentError, "loss"),
        (lambda: Architecture.build([4, 3, 2], hidden="sigmod"), ArgumentError, "'sigmoid'"),
        (lambda: Architecture.build([4, 3], output="soft", loss="huber"), ArgumentError, "'softmax'"),
        (lambda: Architecture.build([4, 3], output="sigmoid"), ArgumentError, "softmax"),
        (lambda: Architecture.build([4, Dense(3, "relu")], loss="binary_cross_entropy"), ArgumentError, "sigmoid"),
        (lambda: Architecture.build([4, 1]), ArgumentError, "binary_cross_entropy"),
        (lambda: Architecture.build([4, 1], output="softmax", loss="huber"), ArgumentError, "always 1"),
        (lambda: Architecture.build([4, Dense(3, dropout=0.5)]), ArgumentError, "last layer"),
        (lambda: Architecture.build([4, 3], output="identity", loss="poisson"), ArgumentError, "exponential"),
        (lambda: Architecture.build([4, 3], loss="quantile", quantile=1.0), ArgumentError, "quantile"),
        (lambda: Architecture.build([4, 3], loss="quantile", quantile="high"), ArgumentTypeError, "quantile"),
        (lambda: Architecture.build([4, 3], loss="huber", quantile=0.9), ArgumentError, "loss='quantile'"),
        (lambda: Architecture.build([4, 3], label_smoothing=1.0), ArgumentError, "label_smoothing"),
        (lambda: Architecture.build([4, 3], label_smoothing=None), ArgumentTypeError, "label_smoothing"),
        (lambda: Architecture.build([4, 3], loss="huber", label_smoothing=0.1), ArgumentError, "'cross_entropy'"),
        (lambda: Architecture.build([4, 3], l1=-1), ArgumentError, "l1"),
        (lambda: Architecture.build([4, 3], l2=math.inf), ArgumentError, "l2"),
        (lambda: Architecture.build([4, 3], l2="strong"), ArgumentTypeError, "l2"),
        (lambda: Architecture.build([4, 3], l1=True), ArgumentTypeError, "l1"),
        (lambda: Architecture.build([4, 3], bias="yes"), ArgumentTypeError, "bias"),
        (lambda: Architecture.build([4, 3], initializer="big"), ArgumentError, "initializer"),
        (lambda: Architecture.build([4, 3], dtype="float16"), ArgumentError, "dtype"),
        (lambda: Architecture.build([4, 3], dtype=int), ArgumentError, "dtype"),
        (lambda: Architecture.build([4, 3], dtype=">f4"), ArgumentError, "dtype"),
        (lambda: Architecture.build([4, 3], dtype="single precision"), ArgumentError, "dtype"),
        (lambda: Architecture.build([4, 3], dtype=None), ArgumentError, "dtype"),
    ],
)
def test_bad_arguments_are_told(make, error, word):
    with pytest.raises(error, match=word):
        make()


def test_auto_is_an_initializer_of_weights_and_of_biases():
    built = Architecture.build(
        [2, Dense(3, "relu", initializer="auto", bias_initializer="auto"), 2], bias_initializer="auto"
    )
    plain = Architecture.build([2, 3, 2])
    assert [(layer.initializer, layer.bias_initializer) for layer in built.layers] == [
        (layer.initializer, layer.bias_initializer) for layer in plain.layers
    ]
