"""Training in a notebook: what is shown there, and that the kernel's interrupt keeps the finished epochs."""

import os

import pytest

nbformat = pytest.importorskip("nbformat", reason="needs Jupyter's packages: pip install nbclient ipykernel")
nbclient = pytest.importorskip("nbclient", reason="needs Jupyter's packages: pip install nbclient ipykernel")
pytest.importorskip("ipykernel", reason="needs Jupyter's packages: pip install nbclient ipykernel")

# Of Jupyter's own, about sockets and event loops.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::UserWarning")

DATA = """
import numpy as np
from fastmlp import Callback, Network
generator = np.random.default_rng(0)
X = generator.normal(size=(400, 20)).astype(np.float32)
y = (X[:, 0] > 0).astype(int)
net = Network([20, 8, 2], seed=0)
"""

UNTIL_INTERRUPTED = """
import os, signal, threading
class Interrupted(Callback):
    def on_epoch_end(self, run):
        if run.epoch == 3:  # with the signal that the kernel's interrupt is, from beside the training
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
history = net.fit(X, y, epochs=10**7, engine={engine!r}, callbacks=[Interrupted()])
"""


def executed(*cells):
    """Execute cells in a kernel of their own; return the outputs of each."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return [cell.outputs for cell in notebook.cells]


def run(*cells):
    """Execute cells in a kernel of their own; return what each prints."""
    return ["".join(output.get("text", "") for output in outputs) for outputs in executed(*cells)]


def as_read(text):
    """What a line shows that is redrawn after each carriage return."""
    return [line.rsplit("\r", 1)[-1] for line in text.removesuffix("\n").split("\n")]


def test_progress_is_one_line_without_control_characters(engine):
    _, text, predicted = run(
        DATA,
        f"net.fit(X, y, epochs=3, engine={engine!r}, threads=2);",
        "print(net.predict(X[:3]).shape, net.history.epochs)",
    )
    assert "\x1b" not in text
    assert [line.split("  ")[0] for line in as_read(text) if line.startswith("epoch")] == ["epoch 3/3"]
    assert predicted == "(3,) 3\n"


def test_every_epoch_has_a_line_when_asked_for():
    _, text = run(DATA, "net.fit(X, y, epochs=3, verbose=2);")
    shown = [line.split("  ")[0] for line in text.splitlines() if line.startswith("epoch")]
    assert shown == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupt_of_the_kernel_keeps_the_finished_epochs(engine):
    _, shown, text = run(
        DATA,
        UNTIL_INTERRUPTED.format(engine=engine),
        "print(history.stop_reason, history.epochs >= 3, net.state.epoch == history.epochs, net.predict(X[:1]).size)",
    )
    assert text == "interrupted True True 1\n"
    *_, last, reason = as_read(shown)
    assert last.startswith("epoch ") and reason == "stopped: interrupted"


def test_values_show_as_tables():
    cells = "net", "net.fit(X, y, epochs=2, verbose=0)", "net.evaluate(X, y)", "net.trace(X, y)"
    _, *outputs = executed(DATA, *cells, "net.check_gradient(X, y)", "net.summary()")
    *values, summary = [output["data"] for (output,) in outputs]
    for value in values:
        assert value["text/html"].startswith("<div>") and "<table>" in value["text/html"]
    assert summary["text/plain"].splitlines()[0] == "layer    units  activation  weights  parameters"
