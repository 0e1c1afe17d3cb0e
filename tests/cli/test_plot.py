"""``fastmlp plot`` and ``fastmlp train --plots``: which files there are, and what is said about them."""

import os
import struct
import subprocess
import sys

import pytest
from matplotlib import pyplot

from fastmlp import Network
from fastmlp.cli import plot

from .test_app import NUMPY, environment, place, run, write_idx  # noqa: F401  (a fixture)

PNG = b"\x89PNG\r\n\x1a\n"
TRAIN = ("train", "from-scratch", "--data", "data", *NUMPY)


@pytest.fixture
def trained(place):  # noqa: F811
    """A model beside its data set."""
    run(*TRAIN, "--out", "digits.npz")
    return place


def pictures(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix not in (".npz", "") and path.is_file())


def test_train_draws_every_kind_beside_the_model_and_says_where(place):  # noqa: F811
    output = run(*TRAIN, "--plots").stdout
    folder = place / "runs" / "from-scratch-001"
    assert pictures(folder) == sorted(f"{kind}.png" for kind in plot.KINDS)
    for kind in plot.KINDS:
        assert f"Plot of {kind} saved as {os.path.join('runs', 'from-scratch-001', kind)}.png" in output
        assert (folder / f"{kind}.png").read_bytes().startswith(PNG)


def test_train_without_the_option_draws_nothing(place):  # noqa: F811
    run(*TRAIN)
    assert pictures(place / "runs" / "from-scratch-001") == []


def test_plot_draws_what_is_asked_for(trained):
    run("plot", "digits.npz", "history", "weights", "--data", "data")
    assert pictures(trained) == ["digits-history.png", "digits-weights.png"]


def test_plot_draws_everything_by_default(trained):
    run("plot", "digits.npz", "--data", "data")
    assert pictures(trained) == sorted(f"digits-{kind}.png" for kind in plot.KINDS)


def test_plot_takes_the_folder_of_a_run(place):  # noqa: F811
    run(*TRAIN)
    run("plot", "runs/from-scratch-001", "weights", "--data", "data")
    assert pictures(place / "runs" / "from-scratch-001") == ["weights.png"]


def test_plot_into_another_folder(trained):
    (trained / "elsewhere").mkdir()
    run("plot", "digits.npz", "weights", "--data", "data", "--out", "elsewhere")
    assert pictures(trained / "elsewhere") == ["digits-weights.png"]


def test_themes_differ(trained):
    found = set()
    for theme in ("light", "dark"):
        run("plot", "digits.npz", "history", "--data", "data", "--theme", theme)
        found.add((trained / "digits-history.png").read_bytes())
    assert len(found) == 2


def test_the_index_chooses_the_sample(trained, monkeypatch):
    shown = []
    monkeypatch.setitem(plot.KINDS, "activations", lambda of: shown.append(of.index) or pyplot.subplots()[1])
    run("plot", "digits.npz", "activations", "--data", "data", "--index", 7)
    assert shown == [7]


def test_no_figure_stays_open(trained):
    run("plot", "digits.npz", "--data", "data")
    assert not pyplot.get_fignums()


def test_what_cannot_be_drawn_is_left_out_and_said(trained):
    Network([36, 10], seed=0).save("fresh.npz")
    output = run("plot", "fresh.npz", "--data", "data").stdout
    assert "No plot of history: history holds no epochs to draw" in output
    assert "fresh-history.png" not in pictures(trained)
    assert "fresh-weights.png" in pictures(trained)


def test_images_that_are_no_squares_leave_out_what_shows_them(place):  # noqa: F811
    (place / "wide").mkdir()
    for part in ("train", "t10k"):
        images, labels = (place / "wide" / f"{part}-{name}-ubyte" for name in ("images-idx3", "labels-idx1"))
        images.write_bytes(struct.pack(">4i", 0x803, 20, 3, 4) + bytes(range(240)))
        labels.write_bytes(struct.pack(">2i", 0x801, 20) + bytes(range(10)) * 2)
    output = run("train", "from-scratch", "--data", "wide", *NUMPY, "--plots").stdout
    assert "No plot of samples: X: 12 features a row are no square image" in output
    drawn = ["activations.png", "confusion.png", "history.png", "weights.png"]  # weights are a heat map
    assert pictures(place / "runs" / "from-scratch-001") == drawn


def test_without_test_rows_training_rows_are_drawn(place):  # noqa: F811
    write_idx(place / "untested", n_test=0)
    run("train", "from-scratch", "--data", "untested", *NUMPY, "--plots")
    assert "mistakes.png" in pictures(place / "runs" / "from-scratch-001")


def test_a_picture_that_cannot_be_written_leaves_the_training_a_success(place, monkeypatch):  # noqa: F811
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(plot, "write_whole", full)
    output = run(*TRAIN, "--plots").stdout
    assert "Model saved as" in output
    assert "Plots could not be written beside the model: No space left on device" in output


def test_a_failed_write_leaves_the_earlier_picture(trained, monkeypatch):
    (trained / "digits-history.png").write_bytes(b"earlier")

    def full(self, file, **_):
        file.write(b"part of")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    assert "No space left" in run("plot", "digits.npz", "history", "--data", "data", code=2).stderr
    assert pictures(trained) == ["digits-history.png"]
    assert (trained / "digits-history.png").read_bytes() == b"earlier"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["digits.npz", "wieghts"], "unknown kind of plot 'wieghts'; did you mean 'weights'?"),
        (["digits.npz", "--theme", "drak"], "unknown theme 'drak'; did you mean 'dark'?"),
        (["digits.npz", "--out", "nowhere"], "--out: the folder 'nowhere' does not exist"),
        (["digits.npz", "activations", "--index", "20"], "--index must lie between 0 and 19"),
        (["nowhere.npz"], "nowhere.npz"),
        (["fresh.npz", "history"], "holds no epochs to draw"),
    ],
)
def test_bad_options(trained, options, message):
    Network([36, 10], seed=0).save("fresh.npz")
    result = run("plot", *options, "--data", "data", code=2)
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert pictures(trained) == []


@pytest.mark.parametrize("command", [(*TRAIN, "--plots"), ("plot", "digits.npz", "--data", "data")])
def test_without_matplotlib_nothing_is_begun(trained, command):
    code = f"import sys\nsys.modules['matplotlib'] = None\nfrom fastmlp.cli import main\nmain({list(command)})"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), timeout=60, check=False
    )
    assert result.returncode == 2
    assert result.stderr.startswith('error: fastmlp needs matplotlib for its plots: pip install "matplotlib')
    assert not (trained / "runs").exists()


def test_help_names_every_kind():
    output = " ".join(run("plot", "--help").output.split())
    assert f"{', '.join(list(plot.KINDS)[:-1])} or {list(plot.KINDS)[-1]}." in output
