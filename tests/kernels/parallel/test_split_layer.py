import threading

import numpy as np
import pytest

from fastmlp.kernels.parallel import split_layer
from fastmlp.kernels.parallel.barrier import new_barrier
from fastmlp.kernels.runtime.fields import Records
from fastmlp.kernels.runtime.records import Layer, Step, Work

from ..calls import both_dtypes, from_python, random_numbers

FAN_IN, FIRST, WIDTH, MOST = 25, 16, 16, 4
"""Units of the first layer, and of its first half; units of the second; rows of a batch at most."""


def table(fan_in, bias=True):
    """Layers of a network whose activations lie at 0, weighted inputs at 200, weights at 0 and bias at 500."""
    layers = Records(Layer, 2, -1)
    layers[0].activations, layers[0].row_stride = 0, 32
    second = layers[1]
    second.before_dropout, second.row_stride, second.width, second.fan_in = 200, WIDTH, WIDTH, fan_in
    second.weights, second.bias = 0, 500 if bias else -1
    return layers


def memories(dtype, units=slice(None)):
    """Memory and parameters of a network, or of that half of it with these units of the first layer."""
    memory, parameters = np.zeros(400, dtype), np.zeros(600, dtype)
    activations = random_numbers(MOST * FAN_IN, dtype).reshape(MOST, FAN_IN)[:, units]
    weights = random_numbers(FAN_IN * WIDTH, dtype, 1).reshape(FAN_IN, WIDTH)[units]
    memory[: MOST * 32].reshape(MOST, 32)[:, : activations.shape[1]] = activations
    parameters[: weights.size] = weights.reshape(-1)
    parameters[500 : 500 + WIDTH] = random_numbers(WIDTH, dtype, 2)
    return memory, parameters


def weighted_inputs(memory, count):
    return memory[200 : 200 + count * WIDTH].reshape(count, WIDTH)


def alone(dtype, count, bias):
    memory, parameters = memories(dtype)
    work = Work(dtype, memory=memory, chunk=MOST, first_units=FIRST, other=300, half=-1)
    step = step_of(dtype, table(FAN_IN, bias), work, parameters, new_barrier(), count)
    from_python(split_layer.second_layer_forward)(step)
    return weighted_inputs(memory, count)


def step_of(dtype, layers, work, parameters, barrier, count, batch=0):
    return Step(dtype, layers=layers, work=work, parameters=parameters, barrier=barrier, count=count, batch=batch)


def together(dtype, counts, bias):
    """Weighted inputs of both halves, after as many steps as there are counts."""
    barrier, partials = new_barrier(), np.zeros(4 * MOST * WIDTH, dtype)
    parts = [memories(dtype, units) for units in (slice(FIRST), slice(FIRST, None))]

    def steps(half):
        layers = table(FIRST if half == 0 else FAN_IN - FIRST, bias)
        memory, parameters = parts[half]
        work = Work(dtype, memory=memory, chunk=MOST, half=half, partials=partials)
        for batch, count in enumerate(counts):
            step = step_of(dtype, layers, work, parameters, barrier, count, batch)
            from_python(split_layer.second_layer_forward)(step)

    other = threading.Thread(target=steps, args=(1,), daemon=True)
    other.start()
    steps(0)
    other.join(60)
    return [weighted_inputs(memory, counts[-1]) for memory, _ in parts]


def twin(dtype, count, bias):
    memory, parameters = memories(np.float64)
    rows = memory[: MOST * 32].reshape(MOST, 32)[:count, :FAN_IN]
    return rows @ parameters[: FAN_IN * WIDTH].reshape(FAN_IN, WIDTH) + bias * parameters[500 : 500 + WIDTH]


@both_dtypes
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("count", [1, 3, 4])
def test_one_thread_adds_up_both_halves(count, bias, dtype):
    tolerance = 50 * np.finfo(dtype).eps
    np.testing.assert_allclose(alone(dtype, count, bias), twin(dtype, count, bias), rtol=0, atol=tolerance)


@both_dtypes
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("count", [1, 3, 4])
def test_two_threads_have_the_bits_of_one(count, bias, dtype):
    for half in together(dtype, [4, 1, 3, count], bias):
        np.testing.assert_array_equal(half, alone(dtype, count, bias))
