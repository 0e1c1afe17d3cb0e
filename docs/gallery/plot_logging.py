"""
Logging to TensorBoard or MLflow
================================

**What you see:** the learning curves of two training runs, read back from the log files that a callback wrote.

**How:** a callback of six lines passes every metric of an epoch to a function ``log(name, value, step)``. TensorBoard's
``add_scalar`` and MLflow's ``log_metric`` take these arguments too, so one callback serves both.

The example uses TensorBoard's writer if the package ``tensorboard`` is installed. Otherwise it uses a replacement of
ten lines that writes CSV. The output below says which writer was used.
"""

import csv
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

from fastmlp import Callback, Network, load_mnist

digits = load_mnist()
X, y = digits.X_train[:10_000], digits.y_train[:10_000]
folder = tempfile.TemporaryDirectory()


# %%
# The callback. ``run.history.row()`` is the last epoch as a dictionary: loss, accuracy, learning rate, seconds and the
# validation metrics.


class LogEpochs(Callback):
    """Pass every metric of an epoch to ``log(name, value, step)``."""

    def __init__(self, log):
        self.log = log

    def on_epoch_end(self, run):
        """Log the epoch that has just finished."""
        row = run.history.row()
        step = int(row.pop("epoch"))
        for name, value in row.items():
            self.log(name, value, step)


# %%
# The replacement, with the two methods of TensorBoard's writer that we need.


class CSVWriter:
    """Write numbers to a CSV file: name, value, step."""

    def __init__(self, folder):
        Path(folder).mkdir(parents=True, exist_ok=True)
        self.file = open(Path(folder) / "scalars.csv", "w", newline="")
        self.rows = csv.writer(self.file)

    def add_scalar(self, name, value, step):
        """Write one number."""
        self.rows.writerow([name, value, step])

    def close(self):
        """Finish the file."""
        self.file.close()


# %%
# Choose a writer, train, and close it.

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.summary import Writer
except ImportError:
    Writer = CSVWriter
    print("tensorboard is not installed; a stand-in writes CSV (pip install tensorboard)")
else:
    print("Writing TensorBoard's event files.")

runs = {"16 units": 16, "128 units": 128}
for name, units in runs.items():
    writer = Writer(str(Path(folder.name) / name))
    net = Network([784, units, 10], seed=0)
    net.fit(X, y, epochs=8, validation_split=0.2, callbacks=[LogEpochs(writer.add_scalar)], verbose=0)
    writer.close()

# %%
# ``tensorboard --logdir FOLDER`` would now show the runs in the browser. Here we read the files back.


def read(folder, column):
    """Return steps and values of one column of a run."""
    if Writer is CSVWriter:
        with open(Path(folder) / "scalars.csv", newline="") as file:
            rows = [(int(step), float(value)) for name, value, step in csv.reader(file) if name == column]
    else:
        events = EventAccumulator(str(folder)).Reload()
        rows = [(event.step, event.tensor_proto.float_val[0]) for event in events.Tensors(column)]
    return zip(*rows, strict=True)


figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
for number, name in enumerate(runs):
    for ax, measure in zip(axes, ("loss", "accuracy"), strict=True):
        for column, line, rows in ((measure, "-", "training"), (f"val_{measure}", "--", "validation")):
            ax.plot(*read(Path(folder.name) / name, column), line, color=f"C{number}", label=f"{name}, {rows}")
for ax, measure in zip(axes, ("loss", "accuracy"), strict=True):
    ax.set(xlabel="epoch", title=measure)
    ax.grid(alpha=0.3)
axes[0].legend()
folder.cleanup()

# %%
# For MLflow, pass ``mlflow.log_metric`` instead of the writer's method. It takes the step as a keyword argument, so
# wrap it in a lambda:
#
# .. code-block:: python
#
#     import mlflow
#
#     with mlflow.start_run():
#         mlflow.log_params({"units": 128, "optimizer": "adam"})
#         log = LogEpochs(lambda name, value, step: mlflow.log_metric(name, value, step=step))
#         net.fit(X, y, epochs=8, validation_split=0.2, callbacks=[log])
#
# **What to try next**
#
# - Log more: ``run.network.weights``, or the accuracy for each digit as in the example *A callback of your own*.
# - If a CSV file is all you want, use the callback that comes with fastmlp: ``CSVLogger("log.csv")``.

plt.show()
