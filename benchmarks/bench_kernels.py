"""Every kernel against its NumPy twin, on the shapes that the recipes give it; float32, one thread.

A kernel for one row is timed over the rows of a batch, as the engine calls it; its twin goes through them in Python, as
NumPy has to. Before it is timed, a kernel must agree with its twin on the very same arguments.

The three products of a dense layer have a table of their own: square ones, those of the recipes, and those where one
side is that of a small layer or batch, against NumPy's BLAS. Packing the weights is part of them, as it is of BLAS.

"of peak" is a share of what independent multiply-adds reach on this processor, measured in the same run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import pytest

from fastmlp.datasets import load_mnist
from fastmlp.kernels import elementwise, losses
from fastmlp.kernels.dense import products as matrix
from fastmlp.kernels.runtime import constants
from fastmlp.kernels.runtime.fields import Records
from fastmlp.kernels.runtime.matrices import Matrix
from fastmlp.kernels.runtime.records import Layer, Parting, Settings, Step
from fastmlp.kernels.runtime.records import Work as StepWork
from fastmlp.kernels.sparse import parting
from fastmlp.kernels.sparse import rows as sparse
from fastmlp.kernels.sparse.microkernels import BLOCK
from fastmlp.measure.products import KINDS, LayerProduct, MultiplyAdds
from fastmlp.measure.timing import Stopwatch, in_turns
from fastmlp.model import architecture
from fastmlp.model.activations import ACTIVATIONS
from fastmlp.model.dropout import threshold
from fastmlp.model.losses import LOSSES, MEDIAN
from tests.kernels import flat, twins
from tests.kernels.calls import over_arrays

from .measuring import measure, repeated

BATCH, PIXELS, HIDDEN, CLASSES = 128, 784, 128, 10
PARAMETERS = PIXELS * HIDDEN

TOLERANCE = 1e-5
"""Relative to the largest number of an array; sums of 784 products in another order stay well within it."""

OFTEN = 2**14
IN_PLACE = 16
"""How often a kernel may map an array onto itself: gelu halves a small number, and denormal ones would be slow."""


SQUARES = (64, 128, 256, 512, 1024)
SMALL_SIDES = (10, 30, 50)
LAYERS = (
    *((side, side, side) for side in SQUARES),
    (BATCH, PIXELS, HIDDEN),
    (BATCH, 512, 512),
    *((side, HIDDEN, HIDDEN) for side in SMALL_SIDES),
    *((BATCH, side, HIDDEN) for side in SMALL_SIDES),
    *((BATCH, HIDDEN, side) for side in SMALL_SIDES),
    *((BATCH, PIXELS, side) for side in SMALL_SIDES),
)
"""Rows, inputs and units of the layers whose products are measured."""


@dataclass(frozen=True)
class Work:
    """A kernel with its arguments.

    Attributes
    ----------
    kernel : callable
        Compiled.
    arguments : tuple
    twin : callable or None
        Takes the same arguments; None for the one of the kernel's name.
    operations : float
        See `measuring.Row`.
    most : int
        How many times in a row the kernel may be called without its numbers degenerating.
    """

    kernel: Any
    arguments: tuple[Any, ...]
    twin: Callable[..., Any] | None = None
    operations: float = 0.0
    most: int = OFTEN


CASES: dict[str, tuple[str, str, str, Callable[[], Work]]] = {}
"""Group, name, shape, and what makes the work; its arrays are made when its turn comes."""


def add(group: str, name: str, shape: str, make: Callable[[], Work]) -> None:
    CASES[f"{name}-{shape}".replace(" ", "_")] = group, name, shape, make


def numbers(*shape: int, low: float = -1.0, high: float = 1.0) -> Any:
    """Evenly spread numbers, flat; always the same."""
    return np.random.default_rng(len(shape)).uniform(low, high, int(np.prod(shape))).astype(np.float32)


def zeros(*shape: int) -> Any:
    return np.zeros(int(np.prod(shape)), dtype=np.float32)


# --- around the products of a layer with a batch, and those with one sample -------------------------------------------


def padded(units: int) -> int:
    return architecture.padded(units, np.dtype(np.float32))


def pack_transposed(inputs: int, units: int) -> Work:
    width = padded(units)
    out, w = zeros(padded(inputs), width), numbers(inputs, width)
    w.reshape(inputs, width)[:, units:] = 0
    return Work(matrix.pack_transposed, (out, 0, w, 0, width, inputs, units))


def pack(inputs: int, units: int) -> Work:
    width = padded(units)
    return Work(matrix.pack, (zeros(inputs, width), 0, numbers(inputs, width), 0, width, inputs, width, inputs))


def row_times_matrix(inner: int, width: int) -> Work:
    c, a, w = zeros(width), numbers(inner), numbers(inner, width)
    return Work(matrix.row_times_matrix, (c, a, Matrix(w, width, 1), width, inner), operations=2.0 * inner * width)


def matrix_times_column(rows: int, width: int) -> Work:
    c, w, d = zeros(rows), numbers(rows, width), numbers(width)
    return Work(matrix.matrix_times_column, (c, Matrix(w, width, 1), d, rows, width), operations=2.0 * rows * width)


def column_sums(rows: int, width: int) -> Work:
    out, d = zeros(width), numbers(rows, width)
    return Work(matrix.column_sums, (out, 0, d, 0, width, rows, width, 0), operations=rows * width)


def add_of_shape(group: str, name: str, make: Callable[..., Work], *shape: int) -> None:
    add(group, name, " x ".join(map(str, shape)), lambda: make(*shape))


for inputs, units in ((HIDDEN, HIDDEN), (HIDDEN, CLASSES), (512, 512)):
    add_of_shape("matrix products", "pack", pack, inputs, units)
    add_of_shape("matrix products", "pack_transposed", pack_transposed, inputs, units)
add_of_shape("matrix products", "row_times_matrix", row_times_matrix, PIXELS, HIDDEN)
add_of_shape("matrix products", "row_times_matrix", row_times_matrix, HIDDEN, padded(CLASSES))
add_of_shape("matrix products", "matrix_times_column", matrix_times_column, HIDDEN, padded(CLASSES))
add_of_shape("matrix products", "column_sums", column_sums, BATCH, HIDDEN)


# --- the first layer on a batch of MNIST, its zeros skipped -----------------------------------------------------------


def images(column_type: Any, value_type: Any) -> tuple[Any, Any, Any, Any]:
    """A batch of MNIST as compressed rows: columns, values, starts, and a scale for every pixel."""
    pixels = load_mnist().X_train[:BATCH]
    rows, columns = np.nonzero(pixels)
    starts = np.searchsorted(rows, np.arange(BATCH + 1)).astype(np.int64)
    scale = np.full(PIXELS, 1 / 255, dtype=np.float32)
    return columns.astype(column_type), pixels[rows, columns].astype(value_type), starts, scale


def forward_rows(read: Any, function: Any) -> Any:
    def rows_forward(c, base, places, factors, columns, values, starts, scale, w, width):
        for i in range(len(starts) - 1):
            first, last = starts[i], starts[i + 1]
            entries, readable = last - first, len(columns) - first
            read(places, factors, columns[first:], values[first:], entries, readable, scale, width // 2)
            function(c[i * width :], base, places, factors, entries, w, width)
        # Behind a row's entries, which are read in whole blocks, there is anything.
        places[:] = 0
        factors[:] = 0

    return rows_forward


def gradient_of_rows(read: Any, function: Any) -> Any:
    def rows_gradient(g, d, places, factors, columns, values, starts, scale, width):
        for i in range(len(starts) - 1):
            first, last = starts[i], starts[i + 1]
            entries, readable = last - first, len(columns) - first
            read(places, factors, columns[first:], values[first:], entries, readable, scale, width // 2)
            function(g, d[i * width :], places, factors, entries, width)
        places[:] = 0
        factors[:] = 0

    return rows_gradient


def columns_listed(count: Any, append: Any) -> Any:
    def rows_listed(ends, members, factors, columns, values, starts, scale):
        ends[:] = 0
        for i in range(len(starts) - 1):
            count(ends, columns, starts[i], starts[i + 1])
        before = 0
        for j in range(len(ends)):
            before, ends[j] = before + ends[j], before
        for i in range(len(starts) - 1):
            first, last = starts[i], starts[i + 1]
            append(ends, members, factors, columns[first:], values[first:], last - first, scale, i)

    return rows_listed


_rows_forward = numba.njit(forward_rows(sparse.read_row, sparse.row_forward))
_rows_gradient = numba.njit(gradient_of_rows(sparse.read_row, sparse.row_gradient))
_rows_listed = numba.njit(columns_listed(sparse.count_columns, sparse.list_columns))


def room() -> tuple[Any, Any]:
    """For the entries of a row, read."""
    return np.zeros(PIXELS + BLOCK, np.uint32), zeros(PIXELS + BLOCK)


def row_forward(width: int, column_type: Any, value_type: Any) -> Work:
    c, base, w = zeros(BATCH, width), numbers(width), numbers(PIXELS, width)
    entries = images(column_type, value_type)
    operations = 2.0 * len(entries[0]) * width
    return Work(
        _rows_forward,
        (c, base, *room(), *entries, w, width),
        forward_rows(twins.read_row, twins.row_forward),
        operations,
    )


def row_gradient(width: int, column_type: Any, value_type: Any) -> Work:
    g, d = zeros(PIXELS, width), numbers(BATCH, width)
    entries = images(column_type, value_type)
    operations = 2.0 * len(entries[0]) * width
    return Work(
        _rows_gradient,
        (g, d, *room(), *entries, width),
        gradient_of_rows(twins.read_row, twins.row_gradient),
        operations,
    )


def list_columns() -> Work:
    """A counting sort of a batch's non-zeros by columns, with what `steps` does around the two kernels."""
    entries = images(np.uint16, np.uint8)
    lists = np.zeros(PIXELS, dtype=np.int64), np.zeros(len(entries[0]), dtype=np.uint32), zeros(len(entries[0]))
    twin = columns_listed(twins.count_columns, twins.list_columns)
    return Work(_rows_listed, (*lists, *entries), twin)


def part_rows(n_filled: int) -> Work:
    """Rows compressed, but for so many features of which all values are kept."""
    columns, values, starts, _ = images(np.uint16, np.uint8)
    dense = load_mnist().X_train[:BATCH]
    order = np.argsort(-(dense != 0).sum(axis=0), kind="stable") if n_filled else np.arange(PIXELS)
    names, chosen = np.empty(PIXELS, np.uint32), np.zeros(PIXELS, np.uint8)
    names[order], chosen[order[:n_filled]] = np.arange(PIXELS), 1
    longer = (np.zeros(len(kept) + BLOCK, kept.dtype) for kept in (columns, values))
    filled = np.zeros(BATCH * n_filled + BLOCK, np.uint8)
    how = Parting(features=PIXELS, filled=n_filled, multiple=1, names=names, chosen=chosen)
    room = *longer, np.zeros_like(starts), filled
    twin = lambda *arguments: twins.part_rows(*arguments[:-2], how)  # noqa: E731
    return Work(parting.part_rows, (*room, dense.reshape(-1).copy(), *how.handle), twin)


def shift_gradient(function: Any, of: Any) -> Any:
    def of_all_features(g: Any, shift: Any, sums: Any) -> None:
        function(of(g, HIDDEN, 1), shift, sums, PIXELS, HIDDEN)

    return of_all_features


_shift_gradient = numba.njit(shift_gradient(sparse.add_shift_gradient, Matrix))


def add_shift_gradient() -> Work:
    g, shift, sums = zeros(PIXELS, HIDDEN), numbers(PIXELS), numbers(HIDDEN)
    return Work(_shift_gradient, (g, shift, sums), shift_gradient(twins.add_shift_gradient, Matrix), 2.0 * PARAMETERS)


for width in (32, HIDDEN):
    for column_type, value_type, kind in ((np.uint16, np.uint8, "bytes"), (np.uint32, np.float32, "floats")):
        arguments = width, column_type, value_type
        shape = f"{BATCH} rows x {width}"
        add("sparse first layer", f"row_forward, {kind}", shape, lambda of=arguments: row_forward(*of))
        add("sparse first layer", f"row_gradient, {kind}", shape, lambda of=arguments: row_gradient(*of))
add("sparse first layer", "list columns", f"{BATCH} rows", list_columns)
for n_filled in (0, 224):
    add("sparse first layer", "part_rows", f"{BATCH} rows, {n_filled}", lambda of=n_filled: part_rows(of))
add("sparse first layer", "add_shift_gradient", f"{PIXELS} x {HIDDEN}", add_shift_gradient)


# --- element by element -----------------------------------------------------------------------------------------------


def of_vectors(name: str) -> Work:
    def twin(out: Any, x: Any) -> None:
        out[:] = getattr(twins, name)(x)

    high = 0.0 if name.endswith("negative") else 10.0
    return Work(over_arrays(getattr(elementwise, name)), (zeros(4096), numbers(4096, low=-10.0, high=high)), twin)


def units_of(activation: str) -> int:
    return CLASSES if activation == "softmax" else HIDDEN


def activation_forward(activation: str) -> Work:
    units = units_of(activation)
    width = padded(units)
    a = zeros(BATCH, width)
    a.reshape(BATCH, width)[:, :units] = numbers(BATCH, units).reshape(BATCH, units)
    arguments = (getattr(constants, activation.upper()), a, 0, width, BATCH, units, width)
    return Work(elementwise.activation_forward, arguments, most=IN_PLACE)


def activation_backward(activation: str) -> Work:
    units = units_of(activation)
    width = padded(units)
    d, z = zeros(BATCH, width), zeros(BATCH, width)
    for number, array in enumerate((d, z)):
        array.reshape(BATCH, width)[:, :units] = numbers(BATCH, units, *[1] * number).reshape(BATCH, units)
    a = z.copy()
    twins.activation_forward(getattr(constants, activation.upper()), a, 0, width, BATCH, units, width)
    arguments = (getattr(constants, activation.upper()), d, a, z, width, BATCH, units, width)
    return Work(elementwise.activation_backward, arguments, most=IN_PLACE)


def keys_of_rows(function: Any) -> Any:
    def rows_keys(out, rows):
        for i in range(len(rows)):
            # Each time from the last time's keys: the compiler would do the same work only once.
            out[i] = function(out[i], rows[i])

    return rows_keys


_rows_keys = numba.njit(keys_of_rows(elementwise.row_key))


def row_key() -> Work:
    arguments = (np.full(BATCH, 12345, dtype=np.uint32), np.arange(BATCH))
    return Work(_rows_keys, arguments, keys_of_rows(twins.row_key))


def dropout() -> Work:
    out, x = zeros(BATCH, HIDDEN), numbers(BATCH, HIDDEN)
    hashed = np.uint32(12345), np.uint32(threshold(0.5)), np.float32(2.0)
    return Work(flat.dropout, (out, x, HIDDEN, BATCH, HIDDEN, np.arange(BATCH), *hashed))


for name in ("exp_of_negative", "expm1_of_negative", "sigmoid", "tanh"):
    add("element by element", name, "4096", lambda name=name: of_vectors(name))
for name in ACTIVATIONS:
    if name != "identity":  # there is nothing to do
        shape = f"{BATCH} x {units_of(name)}"
        add("element by element", f"activation_forward, {name}", shape, lambda name=name: activation_forward(name))
        add("element by element", f"activation_backward, {name}", shape, lambda name=name: activation_backward(name))
add("element by element", "row_key", f"{BATCH} rows", row_key)
add("element by element", "dropout", f"{BATCH} x {HIDDEN}", dropout)


# --- losses, row by row -----------------------------------------------------------------------------------------------


def loss_of_rows(function: Any) -> Any:
    def rows_losses(out, step, a, z, y, labels):
        stride = len(a) // len(out)
        for i in range(len(out)):
            place = i * stride
            out[i] = function(step, a[place:], z[place:], y[place:], labels[i])

    return rows_losses


def loss_gradient_of_rows(function: Any) -> Any:
    def rows_deltas(d, rows, step, a, y):
        stride = len(d) // rows
        for i in range(rows):
            place = i * stride
            function(step, d[place:], a[place:], y[place:], 1.0 / rows)

    return rows_deltas


def correct_answers(function: Any) -> Any:
    def rows_correct(out, task, a, y, stride, labels, units):
        for i in range(len(out)):
            out[i] = function(task, a[i * stride :], y[i * stride :], units, labels[i])

    return rows_correct


_rows_losses = numba.njit(loss_of_rows(losses.loss_row))
_rows_deltas = numba.njit(loss_gradient_of_rows(losses.loss_backward))
_rows_correct = numba.njit(correct_answers(losses.correct_row))


def answers(activation: str) -> tuple[Any, Any, Any]:
    """Outputs, logits and one-hot targets of a batch, with the stride of the kernels."""
    stride = padded(CLASSES)
    a, z, y = np.zeros((3, BATCH, stride), dtype=np.float32)
    z[:, :CLASSES] = numbers(BATCH, CLASSES, low=-3.0, high=3.0).reshape(BATCH, CLASSES)
    a[:, :CLASSES] = ACTIVATIONS[activation].forward(z[:, :CLASSES])
    y[np.arange(BATCH), np.arange(BATCH) % CLASSES] = 1.0
    return a.reshape(-1), z.reshape(-1), y.reshape(-1)


def labels_of(classes: bool) -> Any:
    """The labels of `answers`; of other tasks than classes, -1 for targets that are no labels."""
    return np.arange(BATCH) % CLASSES if classes else np.full(BATCH, -1)


def step_of(loss: str) -> Step:
    """A step with this loss, whose last layer has these classes."""
    layers, mask = Records(Layer, 1), (np.arange(padded(CLASSES)) < CLASSES).astype(np.float32)
    layers[0].units, layers[0].width = CLASSES, padded(CLASSES)
    code, of = getattr(constants, loss.upper()), Settings(level=MEDIAN)
    work = StepWork(np.float32, memory=mask)
    return Step(np.float32, layers=layers, n_layers=1, loss=code, settings=of, work=work)


def loss_row(loss: str) -> Work:
    a, z, y = answers(LOSSES[loss].output)
    arguments = (np.zeros(BATCH), step_of(loss), a, z, y, labels_of(loss == "cross_entropy"))
    return Work(_rows_losses, arguments, loss_of_rows(twins.loss_row))


def loss_backward(loss: str) -> Work:
    a, _, y = answers(LOSSES[loss].output)
    arguments = (zeros(BATCH, padded(CLASSES)), BATCH, step_of(loss), a, y)
    return Work(_rows_deltas, arguments, loss_gradient_of_rows(twins.loss_backward))


def correct_row(task: str) -> Work:
    a, _, y = answers("softmax" if task == "classes" else "sigmoid")
    labels = labels_of(task == "classes")
    arguments = (np.zeros(BATCH), getattr(constants, task.upper()), a, y, padded(CLASSES), labels, CLASSES)
    return Work(_rows_correct, arguments, correct_answers(twins.correct_row))


for name in LOSSES:
    shape = f"{BATCH} rows of {CLASSES}"
    add("losses", f"loss_row, {name}", shape, lambda name=name: loss_row(name))
    add("losses", f"loss_backward, {name}", shape, lambda name=name: loss_backward(name))
for name in ("classes", "multilabel"):
    add("losses", f"correct_row, {name}", shape, lambda name=name: correct_row(name))


# --- optimizers -------------------------------------------------------------------------------------------------------


ADAM = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8}


def update(kernel: Any, optimizer: str, operations: int, **values: float) -> Work:
    w, g, m, v = (numbers(PARAMETERS, *[1] * number) for number in range(4))
    v = abs(v)  # a mean of squares
    if optimizer == "rmsprop":
        m = abs(m)
    block = 0, PARAMETERS, 1, PARAMETERS
    arguments = (getattr(constants, optimizer.upper()), w, *block, g, 0, m, v, Settings(**values), 3, 0.001)
    return Work(kernel, arguments, operations=operations * PARAMETERS)


def update_weights() -> Work:
    return update(flat.update_weights, "adam", 12 + 3 + 1, l2=1e-4, weight_decay=0.01, **ADAM)


def shrink() -> Work:
    return Work(flat.shrink, (numbers(PARAMETERS), 0, PARAMETERS, 0.9999), operations=PARAMETERS)


def add_penalty_gradient() -> Work:
    arguments = (zeros(PARAMETERS), 0, numbers(PARAMETERS), 0, PARAMETERS, 1e-4, 1e-4)
    return Work(flat.add_penalty_gradient, arguments, operations=3 * PARAMETERS)


shape = f"{PARAMETERS}"
for label, operations, optimizer, values in (
    ("sgd", 2, "sgd", {}),
    ("momentum", 4, "sgd", {"momentum": 0.9}),
    ("nesterov", 6, "sgd", {"momentum": 0.9, "nesterov": 1.0}),
    ("rmsprop", 9, "rmsprop", {"decay": 0.9, "epsilon": 1e-8}),
    ("adam", 12, "adam", ADAM),
):
    make = lambda of=(optimizer, operations), values=values: update(flat.update, *of, **values)  # noqa: E731
    add("optimizers", f"update, {label}", shape, make)
add("optimizers", "update_weights, adam, l2, decay", shape, update_weights)
add("optimizers", "shrink", shape, shrink)
add("optimizers", "add_penalty_gradient", shape, add_penalty_gradient)


# --- all of them ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def peak(request):
    """What one thread can do at most, in GFLOP/s; 0 where nothing is timed."""
    if request.config.getoption("benchmark_disable"):
        return 0.0
    adds = MultiplyAdds()
    return adds.operations / min(in_turns(20, adds=Stopwatch(adds.run))["adds"]) / 1e9


@pytest.mark.usefixtures("one_blas_thread")
@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: "x".join(map(str, layer)))
@pytest.mark.parametrize("kind", KINDS)
def bench_product(benchmark, report, peak, kind, layer):
    product = LayerProduct(kind, *layer)
    product.run(1)
    product.run_numpy()
    assert product.error() <= TOLERANCE
    row = "products of a layer", kind, " x ".join(map(str, layer)), product.operations
    rounds = max(10, min(100, int(1e10 / product.operations)))
    timed = {"most": OFTEN, "rounds": rounds, "twin_rounds": rounds, "peak": peak}
    report(measure(benchmark, row, product.run, product.run_numpy, lambda: None, **timed))


@pytest.mark.usefixtures("one_blas_thread")
@pytest.mark.parametrize("name", CASES)
def bench_kernel(benchmark, report, peak, name):
    group, label, shape, make = CASES[name]
    work = make()
    kernel = repeated(work.kernel)
    twin = work.twin or getattr(twins, work.kernel.__name__)
    arguments = copied(work.arguments)

    def restore() -> None:
        for ours, original in zip(arguments, work.arguments, strict=True):
            if isinstance(ours, np.ndarray):
                np.copyto(ours, original)

    twin(*arguments)
    wanted = copied(arguments)
    restore()
    kernel(1, *arguments)
    check_agreement(arguments, wanted)
    row = group, label, shape, work.operations
    report(
        measure(
            benchmark,
            row,
            lambda times: kernel(times, *arguments),
            lambda: twin(*arguments),
            restore,
            most=work.most,
            peak=peak,
        )
    )


def copied(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value.copy() if isinstance(value, np.ndarray) else value for value in arguments)


def check_agreement(found: tuple[Any, ...], wanted: tuple[Any, ...]) -> None:
    """Compare the arrays among the arguments, changed or not."""
    for ours, theirs in zip(found, wanted, strict=True):
        if isinstance(ours, np.ndarray) and ours.size:
            if ours.dtype.kind == "f":
                np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE * abs(theirs).max())
            else:
                np.testing.assert_array_equal(ours, theirs)
