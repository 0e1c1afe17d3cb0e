"""A row of the data as the network sees it, and its target (floor 2).

The input ``x`` of a sample is a list of the features that are not 0: on MNIST a fifth of 784. The first layer then has
so much less to multiply, and the sum is the same. A dense row is listed without an ``if``: every number is written,
and the next one over it where it was 0. A processor can't foresee which are, and to guess wrong takes it as long as
twenty of them.

The rungs below: `data.samples.Samples.rows`, `data.targets.Targets.rows` and `model.losses.smoothed`.
"""

from ..runtime.jit import loop


@loop
def read_pixels(samples, row, columns, values):
    """List a dense row of bytes, scaled; return how many features are not 0."""
    n, start = 0, row * samples.n_features
    for j in range(samples.n_features):
        x = (samples.pixels[start + j] - samples.centre[j]) * samples.scale[j] + samples.shift[j]
        columns[n], values[n] = j, x
        n += int(x != 0)
    return n


@loop
def read_numbers(samples, row, columns, values):
    """List a dense row of floats."""
    n, start = 0, row * samples.n_features
    for j in range(samples.n_features):
        x = samples.numbers[start + j]
        columns[n], values[n] = j, x
        n += int(x != 0)
    return n


@loop
def read_entries(samples, row, columns, values):
    """List a sparse row in which an absent feature is 0 to the network, too."""
    start = samples.starts[row]
    n = samples.starts[row + 1] - start
    for k in range(n):
        columns[k], values[k] = samples.columns[start + k], samples.values[start + k]
    return n


@loop
def read_with_absent(samples, row, columns, values):
    """List a sparse row in which an absent feature is some other number to the network."""
    entry, end = samples.starts[row], samples.starts[row + 1]
    for j in range(samples.n_features):
        columns[j], values[j] = j, samples.absent[j]
        if entry < end and samples.columns[entry] == j:
            values[j] = samples.values[entry]
            entry += 1
    return samples.n_features


@loop
def read_sample(samples, row, columns, values):
    """List the features of a row that are not 0 to the network; return how many they are."""
    if len(samples.pixels):
        return read_pixels(samples, row, columns, values)
    if len(samples.numbers):
        return read_numbers(samples, row, columns, values)
    if len(samples.absent):
        return read_with_absent(samples, row, columns, values)
    return read_entries(samples, row, columns, values)


@loop
def read_target(network, targets, row, y):
    """Write the outputs that are wanted of a row, smoothed."""
    for j in range(len(y)):
        if len(targets.labels):
            y[j] = 1 if targets.labels[row] == j else 0
        else:
            y[j] = targets.values[row, j]
        if network.spread > 0:
            y[j] = network.kept_share * y[j] + network.spread
