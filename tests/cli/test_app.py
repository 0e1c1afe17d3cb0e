"""The command line: what it prints, where it saves, how it fails, what Ctrl-C does."""

import os
import re
import select
import signal
import struct
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

from typer.testing import CliRunner

from fastmlp import SGD, Adam, Network, hints, load, recipes
from fastmlp.cli import predict, reports
from fastmlp.cli.app import app
from fastmlp.cli.train import Place, Request, changed_recipe
from fastmlp.data.targets import Labels
from fastmlp.errors import ArgumentError
from fastmlp.images import as_digit
from fastmlp.model.optimizers import RMSprop
from fastmlp.model.schedules import SCHEDULES
from fastmlp.recipes.changes import HIDDEN_ACTIVATIONS, OUTPUT_OF_LOSS

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("train", "compare", "recipes", "evaluate", "predict", "plot", "serve", "convert", "warmup")
NUMPY = ["--engine", "numpy"]


def write_idx(folder: Path, n_train: int = 60, n_test: int = 20, side: int = 6, labels: int = 10) -> Path:
    """Four IDX files of easy images: each label has a bright pixel of its own."""
    folder.mkdir()
    generator = np.random.default_rng(0)
    for part, n in (("train", n_train), ("t10k", n_test)):
        y = (np.arange(n) % labels).astype(np.uint8)
        X = generator.integers(0, 40, (n, side * side)).astype(np.uint8)
        X[np.arange(n), y] = 255
        (folder / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4i", 0x803, n, side, side) + X.tobytes())
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 0x801, n) + y.tobytes())
    return folder


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty working folder with a data set in ``data``."""
    write_idx(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments, code=0):
    """Run the command line in this process and check its exit code."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def environment(**extra):
    return os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | extra


def process(*arguments, **options):
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "fastmlp.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment(**options), timeout=60, check=False)


# Help


def test_alone_prints_help():
    output = run().output
    assert all(command in output for command in COMMANDS)
    assert output == run("--help").output


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_tells_every_default(command):
    output = " ".join(run(command, "--help").output.split())
    options = [option for option in re.findall(r"(--[a-z-]+) [A-Z]+", output) if option != "--help"]
    assert output.count("[default:") + output.count("[required]") >= len(options)
    assert max(map(len, run(command, "--help").output.splitlines())) <= 80


def test_help_tells_the_right_defaults():
    output = " ".join(run("train", "--help").output.split())
    assert f"[default: ({recipes.DEFAULT})]" in output
    fields = Request()
    assert f"[default: {fields.out}]" in output
    assert fields.engine == fields.threads == "auto"


def test_help_imports_nothing_slow():
    code = (
        "import sys\nfrom fastmlp.cli import main\n"
        "try:\n main(['--help'])\nexcept SystemExit as end:\n assert not end.code\n"
        "print([name for name in ('numpy', 'numba', 'rich.table', 'rich.progress') if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), timeout=60, check=False
    )
    assert result.stdout.endswith("[]\n"), result.stdout + result.stderr


def test_version():
    import fastmlp

    assert run("--version").output == f"fastmlp {fastmlp.__version__}\n"


@pytest.mark.parametrize("package", ["typer", "rich"])
def test_missing_package(package):
    code = f"import sys\nsys.modules[{package!r}] = None\nfrom fastmlp.cli import main\nmain(['recipes'])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), timeout=60, check=False
    )
    assert result.returncode == 2
    assert result.stderr.startswith(f"error: fastmlp needs {package} for its command line: pip install ")
    assert f'"{package}' in result.stderr


# Recipes


def test_list_of_recipes():
    lines = run("recipes").output.splitlines()
    for recipe in recipes.RECIPES.values():
        (line,) = [line for line in lines if line.startswith(f"{recipe.name} ")]
        assert all(
            part in line for part in (recipe.shape, recipe.source.author, f"{recipe.target:.1%}", str(recipe.epochs))
        )


def test_one_recipe():
    assert run("recipes", "keras").stdout == recipes.get("keras").describe(80) + "\n"


def test_text_that_the_encoding_lacks():
    result = process("recipes", "nielsen-cross-entropy", PYTHONIOENCODING="ascii")
    assert result.returncode == 0, result.stderr
    assert "784-100-10" in result.stdout


def test_reader_that_goes_away():
    command = [sys.executable, "-m", "fastmlp.cli", "recipes"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as child:
        child.stdout.close()
        complaint = child.stderr.read()
    assert b"Traceback" not in complaint


def test_a_recipe_as_a_script():
    assert run("recipes", "keras", "--python").stdout == recipes.get("keras").script()
    assert "--python needs the NAME of a recipe: nielsen, " in run("recipes", "--python", code=2).stderr
    assert "unknown recipe 'nobody'" in run("recipes", "nobody", "--python", code=2).stderr


# Train


def test_train(place):
    output = run("train", "keras", "--data", "data", "--epochs", 3, *NUMPY).stdout
    lines = output.splitlines()
    assert "keras" in lines[0]
    assert "36-128-128-10" in lines[1]
    assert lines[2].split() == ["loss", "cross", "entropy"]
    assert "data: 48 training, 12 validation, 20 test rows" in lines[4]
    heading = next(number for number, line in enumerate(lines) if line.split()[:1] == ["epoch"])
    assert lines[heading].split() == ["epoch", "loss", "accuracy", "val", "loss", "val", "accuracy", "seconds"]
    assert [line.split()[0] for line in lines[heading + 1 : heading + 4]] == ["1", "2", "3"]
    assert len({len(line) for line in lines[heading : heading + 4]}) == 1  # aligned
    assert "Model saved as runs/keras-001/model.npz".replace("/", os.sep) in output
    assert re.search(r"^Test accuracy \d+\.\d\d%, loss \d\.\d{4}$", output, re.MULTILINE)
    network = load(place / "runs" / "keras-001" / "model.npz")
    assert network.history.epochs == 3
    assert network.architecture.sizes == (36, 128, 128, 10)


def test_train_is_the_recipe(place):
    run("train", "three-blue-one-brown", "--data", "data", "--epochs", 2, "--seed", 5, "--out", "model.npz", *NUMPY)
    dataset = reports.open_data("data")[0]
    recipe = recipes.get("three-blue-one-brown").resized(inputs=36)
    network, history, _ = recipe.run(5, epochs=2, engine="numpy", verbose=0, dataset=dataset)
    saved = load("model.npz")
    assert np.array_equal(saved.state.parameters, network.state.parameters)
    assert saved.history["val_loss"] == history["val_loss"]


def test_no_run_overwrites_another(place):
    for number in (1, 2):
        run("train", "from-scratch", "--data", "data", *NUMPY)
        assert (place / f"runs/from-scratch-{number:03d}/model.npz").is_file()
    (place / "runs/from-scratch-007").mkdir()
    run("train", "from-scratch", "--data", "data", *NUMPY)
    assert (place / "runs/from-scratch-008/model.npz").is_file()
    run("train", "raschka", "--data", "data", "--epochs", 1, *NUMPY)
    assert (place / "runs/raschka-001/model.npz").is_file()


@pytest.mark.parametrize(
    ("out", "made"),
    [
        ("model.npz", "model.npz"),
        ("new/model.npz", "new/model.npz"),
        ("mine", "mine/from-scratch-001/model.npz"),
        ("v1.2/", "v1.2/from-scratch-001/model.npz"),
    ],
)
def test_out(place, out, made):
    assert made.replace("/", os.sep) in run("train", "from-scratch", "--data", "data", "--out", out, *NUMPY).stdout
    assert load(made).history.epochs == 1


def test_out_in_a_format_that_only_predicts_says_what_is_left_out(place):
    pytest.importorskip("onnx", reason="needs the extra onnx")
    command = ("train", "from-scratch", "--data", "data", "--out")
    assert "A .onnx file only predicts" in run(*command, "model.onnx", *NUMPY).stdout
    assert "only predicts" not in run(*command, "model.npz", *NUMPY).stdout
    assert "A .c file only predicts" in run("convert", "model.npz", "model.c").stdout


def test_out_that_is_a_folder_with_a_dot(place):
    (place / "v1.2").mkdir()
    run("train", "from-scratch", "--data", "data", "--out", "v1.2", *NUMPY)
    assert (place / "v1.2/from-scratch-001/model.npz").is_file()


def test_options(place):
    output = run(
        *("train", "nielsen", "--data", "data", "--epochs", 1, "--batch-size", 5, "--optimizer", "adam"),
        *("--learning-rate", 0.02, "--hidden", "20, 12", "--seed", 9, "--threads", 1, *NUMPY),
    ).stdout
    assert "36-20-12-10" in output
    assert "Adam(0.02), batch 5, 1 epoch, seed 9" in output
    network = load("runs/nielsen-001/model.npz")
    assert network.history["learning_rate"] == [0.02]
    assert network.state.step == 10  # 50 rows in batches of 5


def test_schedule(place):
    output = run("train", "keras", "--data", "data", "--epochs", 4, "--schedule", "linear", *NUMPY).stdout
    assert "Adam(0.001, epsilon=1e-07), schedule linear, batch 128, 4 epochs, seed 0" in output
    assert load("runs/keras-001/model.npz").history["learning_rate"] == pytest.approx([0.001, 0.00075, 0.0005, 0.00025])


def test_help_names_every_schedule():
    output = " ".join(run("train", "--help").output.split())
    (listed,) = re.findall(r"Learning-rate schedule: ([a-z_, ]+)\.", output)
    assert listed.replace(" or ", ", ").split(", ") == list(SCHEDULES)


def test_help_names_every_activation_and_loss():
    output = " ".join(run("train", "--help").output.split())
    (activations,) = re.findall(r"Activation of the hidden layers: ([a-z_, ]+)\.", output)
    assert activations.replace(" or ", ", ").split(", ") == list(HIDDEN_ACTIVATIONS)
    (losses,) = re.findall(r"Loss: ([a-z_, ]+)\.", output)
    assert losses.replace(" or ", ", ").split(", ") == list(OUTPUT_OF_LOSS)


def test_options_of_the_network(place):
    output = run(
        *("train", "nielsen", "--data", "data", "--epochs", 1, "--momentum", 0.5, "--activation", "tanh"),
        *("--loss", "cross_entropy", "--dropout", 0.25, "--l2", 0.001, "--rows", 20, *NUMPY),
    ).stdout
    assert "36-30-10, tanh hidden, softmax output, dropout 0.25" in output
    assert "cross entropy, L2 penalty 0.001" in output
    assert "SGD(3, momentum=0.5), batch 10, 1 epoch" in output
    assert "20 training, 10 validation, 20 test rows" in output
    network = load("runs/nielsen-001/model.npz")
    assert network.architecture.loss == "cross_entropy"
    assert network.architecture.l2 == 0.001
    assert [layer.dropout for layer in network.architecture.layers] == [0.25, 0.0]
    assert [layer.activation for layer in network.architecture.layers] == ["tanh", "softmax"]
    assert network.state.step == 2  # 20 rows in batches of 10


def test_no_hidden_layer(place):
    assert "36-10," in run("train", "--data", "data", "--hidden", "none", "--epochs", 1, *NUMPY).stdout


def test_labels_beyond_the_recipes_outputs(place):
    write_idx(place / "letters", n_train=60, labels=13)
    assert "36-128-13" in run("train", "from-scratch", "--data", "letters", *NUMPY).stdout


def test_rows_sorted_by_class_validate_by_class(place):
    """The digits of MNIST's first rows, sorted: the last fifth would all be nines."""
    from fastmlp import load_mnist

    digits = load_mnist()
    order = np.argsort(digits.y_train[:2000], kind="stable")
    (place / "sorted").mkdir()
    rows = {"train": (digits.X_train[order], digits.y_train[order]), "test": (digits.X_test[:500], digits.y_test[:500])}
    for part, (X, y) in rows.items():
        np.savetxt(place / f"sorted/{part}.csv", np.column_stack([y, X]), fmt="%d", delimiter=",")
    output = run("train", "--data", "sorted", "--epochs", 4, *NUMPY).stdout
    assert "sorted/train.csv and test.csv: 1,600 training, 400 validation, 500 test rows".replace("/", os.sep) in output
    history = load("runs/keras-001/model.npz").history
    tested = float(re.search(r"Test accuracy (\d+\.\d+)%", output)[1]) / 100
    assert history["val_accuracy"][-1] > 0.75
    assert abs(history["val_accuracy"][-1] - tested) < 0.1
    assert "No training row" not in output


def test_labels_that_training_lacks_are_told(place):
    from fastmlp.datasets import load_idx

    folder = write_idx(place / "some", n_train=60)
    X, y = load_idx(folder / "train-images-idx3-ubyte", folder / "train-labels-idx1-ubyte")
    keep = ~np.isin(y, [3, 7])
    (folder / "train-images-idx3-ubyte").write_bytes(struct.pack(">4i", 0x803, keep.sum(), 6, 6) + X[keep].tobytes())
    (folder / "train-labels-idx1-ubyte").write_bytes(
        struct.pack(">2i", 0x801, keep.sum()) + y[keep].astype(np.uint8).tobytes()
    )
    output = run("train", "--data", "some", "--epochs", 1, *NUMPY).stdout
    assert "No training row has the labels 3, 7, which the data set has" in output
    assert "No training row" not in run("train", "--data", "data", "--epochs", 1, *NUMPY).stdout


def test_a_table_trains_and_tests(place):
    rows = np.column_stack([np.arange(60) % 10, np.random.default_rng(0).integers(0, 256, (60, 36))])
    np.savetxt("digits.csv", rows, fmt="%d", delimiter=",")
    output = run("train", "--data", "digits.csv", "--epochs", 1, *NUMPY).stdout
    assert "digits.csv: 48 training, 12 validation rows" in output
    assert "There are no test rows; test on others with: fastmlp evaluate" in output
    assert "digits.csv: 60 rows" in run("evaluate", "runs/keras-001", "--data", "digits.csv", *NUMPY).stdout


def test_no_test_rows(place):
    write_idx(place / "untested", n_test=0)
    output = run("train", "from-scratch", "--data", "untested", *NUMPY).stdout
    assert "Model saved" in output
    assert "Test accuracy" not in output


def test_changed_recipe():
    def optimizer(recipe, **options):
        return changed_recipe(Request(recipe=recipe, **options)).optimizer

    assert changed_recipe(Request()) == recipes.get(recipes.DEFAULT)
    assert optimizer("keras", learning_rate=0.01) == Adam(0.01, epsilon=1e-7)
    assert optimizer("keras", optimizer="adam") == Adam(0.001, epsilon=1e-7)
    assert optimizer("keras", optimizer="sgd") == SGD()
    assert optimizer("nielsen", optimizer="rmsprop", learning_rate=0.5) == RMSprop(0.5)
    assert optimizer("nielsen") == SGD(3.0)
    assert changed_recipe(Request(schedule="one_cycle")).schedule == "one_cycle"


BAD = [
    (["kears"], "unknown recipe 'kears'; did you mean 'keras'?"),
    (["--optimizer", "adamm"], "unknown optimizer 'adamm'; did you mean 'adam'?"),
    (["--schedule", "cosin"], "unknown schedule 'cosin'; did you mean 'cosine'?"),
    (["--engine", "nunpy"], "unknown engine 'nunpy'; did you mean 'numpy'?"),
    (["--hidden", "128;64"], "--hidden must be numbers of units separated by commas"),
    (["--hidden", "0"], "hidden layer 1 must lie between 1"),
    (["--epochs", "0"], "epochs must lie between 1"),
    (["--batch-size", "0"], "batch_size must lie between 1"),
    (["--learning-rate", "-1"], "learning_rate of Adam must be finite and >= 0"),
    (["--learning-rate", "nan"], "learning_rate of Adam must be finite and >= 0"),
    (["--activation", "rellu"], "--activation: unknown activation 'rellu'; did you mean 'relu'?"),
    (["--activation", "softmax"], "--activation: unknown activation 'softmax'"),
    (["--loss", "mse"], "--loss: unknown loss 'mse'; did you mean 'squared_error'?"),
    (["--dropout", "1"], "--dropout: dropout must lie in [0, 1)"),
    (["--dropout", "0.5", "--hidden", "none"], "--dropout: dropout needs a hidden layer"),
    (["--l2", "-1"], "--l2 must be finite and >= 0"),
    (["--l2", "nan"], "--l2 must be finite and >= 0"),
    (["--momentum", "0.9"], "--momentum is for sgd, and the optimizer is adam; give --optimizer sgd too"),
    (["--momentum", "1", "--optimizer", "sgd"], "--momentum: momentum of SGD must be below 1"),
    (["--rows", "0"], "--rows: rows must lie between 1 and 48"),
    (["--rows", "49"], "--rows: rows must lie between 1 and 48"),
    (["--seed", "-1"], "seed must lie between 0"),
    (["--threads", "many"], "threads must be 'auto' or a whole number"),
    (["--threads", "0"], "threads must lie between 1"),
    (["--data", "nowhere"], "nowhere: no such folder"),
    (["--out", "model.h5"], "--out: a model file must end in .npz or .json"),
    (["--out", "there.npz"], "--out: there.npz exists already"),
    (["--out", "there.npz/sub"], "there.npz"),
]


@pytest.mark.parametrize(("options", "message"), BAD, ids=[" ".join(options) for options, _ in BAD])
def test_bad_option(place, options, message):
    (place / "there.npz").write_bytes(b"precious")
    result = run("train", *([] if "--data" in options else ["--data", "data"]), *options, code=2)
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr
    assert "Model saved" not in result.stdout
    assert "epoch  " not in result.stdout
    assert (place / "there.npz").read_bytes() == b"precious"
    assert sorted(path.name for path in place.iterdir()) == ["data", "there.npz"]


@pytest.mark.parametrize("options", [["--epochs", "three"], ["--fast"], ["keras", "nielsen"]])
def test_bad_usage(place, options):
    assert "rror" in run("train", *options, code=2).stderr


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["train", "--lr", 0.1], "No such option: --lr. Did you mean --learning-rate?"),
        (["train", "-b", 32], "No such option: -b. Did you mean --batch-size?"),
        (["serve", "--browser"], "No such option: --browser. Did you mean --open?"),
        (["test", "model.npz"], "No such command 'test'. Did you mean 'evaluate'?"),
        (["fit"], "No such command 'fit'. Did you mean 'train'?"),
    ],
)
def test_words_of_others_get_ours(arguments, remedy):
    assert remedy in run(*arguments, code=2).stderr


def test_an_option_that_a_command_lacks_is_not_offered():
    assert "--learning-rate" not in run("recipes", "--lr", code=2).stderr


def test_words_of_others_lead_to_options_and_commands_that_are_there():
    from typer.main import get_command

    commands = get_command(app).commands
    options = {name for command in commands.values() for parameter in command.params for name in parameter.opts}
    assert set(hints.COMMANDS) <= set(commands)
    assert set(hints.OPTIONS) <= options
    assert not set(" ".join(hints.COMMANDS.values()).split()) & set(commands)
    assert not set(" ".join(hints.OPTIONS.values()).split()) & options


def test_diverging_training_says_so(place):
    result = run("train", "from-scratch", "--data", "data", "--learning-rate", 1e30, *NUMPY, code=2)
    assert result.stderr.startswith("error: training diverged")
    assert not (place / "runs").exists()


@pytest.mark.parametrize("rate", ["1e4", "1e6"])
def test_huge_numbers_keep_the_table_in_shape_and_are_told(place, rate):
    output = run("train", "keras", "--data", "data", "--epochs", 3, "--learning-rate", rate, *NUMPY).stdout
    lines = output.splitlines()
    heading = next(number for number, line in enumerate(lines) if line.split()[:1] == ["epoch"])
    assert len({len(line) for line in lines[heading : heading + 4]}) == 1
    (saved,) = [number for number, line in enumerate(lines) if line.startswith("Model saved")]
    assert lines[saved + 1].startswith("This network has learned nothing: its loss is ")
    assert lines[saved + 1].endswith(f"Try a smaller --learning-rate than {float(rate):g}, such as 0.001.")
    assert re.search(r"^Test accuracy \d+\.\d\d%, loss \S{1,7}$", output, re.MULTILINE)


def test_the_rate_of_another_loss_is_no_remedy(place):
    options = ["--activation", "relu", "--loss", "cross_entropy", "--learning-rate", 1e6, "--epochs", 1]
    output = run("train", "nielsen", "--data", "data", *options, *NUMPY).stdout
    assert "This network has learned nothing" in output
    assert "Try another --learning-rate, or more --epochs." in output


def test_many_epochs_keep_the_table_in_shape():
    from fastmlp import Callback
    from fastmlp.cli.show import EpochRows, Screen

    class Stop(Callback):
        def on_epoch_end(self, run):
            run.stop("enough")

    screen, lines = Screen(), []
    screen.say = lambda text="", style=None: lines.append(text)
    with EpochRows(screen) as table:
        network = Network([1, 2], seed=0)
        network.fit([[1.0]], [0], epochs=2**31, engine="numpy", verbose=0, callbacks=[table, Stop()])
    assert len({len(line) for line in lines}) == 1
    assert len(lines[0].split()[0]) < 10 <= lines[0].index("epoch") + 5


def test_diverging_later_keeps_the_last_good_network(place, monkeypatch):
    from fastmlp.cli import show

    def spoil(self, run):
        if run.epoch == 3:
            run.learning_rate = 1e30

    monkeypatch.setattr(show.EpochRows, "on_epoch_start", spoil)
    result = run("train", "keras", "--data", "data", "--epochs", 5, *NUMPY, code=2)
    assert "diverged" in result.stderr
    assert load("runs/keras-001/model.npz").history.epochs == 2


def test_place_that_cannot_be_written(place, monkeypatch):
    save, calls = Network.save, []

    def full_disk_first(self, path, **options):
        calls.append(path)
        if len(calls) == 1:
            raise OSError(28, "No space left on device")
        save(self, path, **options)

    monkeypatch.setattr(Network, "save", full_disk_first)
    output = run("train", "from-scratch", "--data", "data", *NUMPY).stdout
    assert "could not be saved as" in output
    assert "No space left on device" in output
    rescued = Path(calls[1])
    assert load(rescued).history.epochs == 1
    rescued.unlink()
    rescued.parent.rmdir()


def test_file_that_appears_during_training(place):
    chosen = Place("model.npz", "keras")
    (place / "model.npz").write_bytes(b"precious")
    from fastmlp.cli.show import Screen
    from fastmlp.cli.train import _save

    assert _save(Network([2, 2], seed=0), chosen, Screen()) == Path("model-2.npz")
    assert (place / "model.npz").read_bytes() == b"precious"


def test_discarded_place_leaves_nothing(place):
    chosen = Place("a/b/c/", "keras")
    assert chosen.file.parent.is_dir()
    chosen.discard()
    assert not (place / "a").exists()
    (place / "full").mkdir()
    (place / "full" / "something").touch()
    Place("full", "keras").discard()
    assert [path.name for path in (place / "full").iterdir()] == ["something"]


def test_pipe_gets_plain_lines(place):
    result = process("train", "--data", "data", "--epochs", "2", *NUMPY)
    assert result.returncode == 0, result.stderr
    assert "\x1b" not in result.stdout + result.stderr
    assert "\r" not in result.stdout
    assert result.stderr == ""
    assert all(line == line.rstrip() for line in result.stdout.splitlines())


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_save_what_there_is(place, number, code):
    command = [sys.executable, "-m", "fastmlp.cli", "train", "nielsen", "--data", "data", "--epochs", "1000000", *NUMPY]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as child:
        lines = []
        while not (lines and lines[-1].split()[:1] == ["2"]):
            assert select.select([child.stdout], [], [], 60)[0], "no epoch within a minute"
            lines.append(child.stdout.readline())
            assert lines[-1], child.stderr.read()
        child.send_signal(number)
        rest, complaint = child.communicate(timeout=60)
    assert child.returncode == code
    assert complaint == ""
    epochs = int(re.search(r"Interrupted; the network is as it was after epoch (\d+)\.", rest)[1])
    assert load("runs/nielsen-001/model.npz").history.epochs == epochs >= 2
    assert "Test accuracy" in rest


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_control_c_before_the_first_epoch(place, monkeypatch):
    from fastmlp.cli import show

    def interrupt(self, run):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(show.EpochRows, "on_epoch_start", interrupt)
    assert "nothing to save" in run("train", "--data", "data", *NUMPY, code=130).stdout
    assert not (place / "runs").exists()


@pytest.mark.skipif(os.name == "nt", reason="terminals of POSIX")
def test_terminal_of_80_columns(place):
    pty = pytest.importorskip("pty")
    import fcntl
    import termios

    main, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    command = [sys.executable, "-m", "fastmlp.cli", "train", "--data", "data", "--epochs", "2", *NUMPY]
    terminal = environment(TERM="xterm")
    terminal.pop("COLUMNS", None)
    with subprocess.Popen(command, stdin=child, stdout=child, stderr=child, env=terminal) as process:
        os.close(child)
        output = b""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                piece = os.read(main, 65536)
            except OSError:  # the terminal's other end was closed
                break
            if not piece:
                break
            output += piece
    os.close(main)
    assert process.returncode == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.decode())
    assert "time left" in text
    assert "fastmlp evaluate runs/keras-001/model.npz" in text
    assert max(len(piece) for piece in re.split(r"[\r\n]+", text)) <= 80


# Evaluate


def test_evaluate(place):
    run("train", "from-scratch", "--data", "data", "--epochs", 3, *NUMPY)
    output = run("evaluate", "runs/from-scratch-001", "--data", "data", *NUMPY).stdout
    assert output == run("evaluate", "runs/from-scratch-001/model.npz", "--data", "data", *NUMPY).stdout.replace(
        "from-scratch-001/model.npz", "from-scratch-001"
    )
    network, dataset = load("runs/from-scratch-001/model.npz"), reports.open_data("data")[0]
    evaluation = network.evaluate(dataset.X_test, dataset.y_test, engine="numpy")
    assert f"{evaluation.loss:.4f}" in output
    assert f"{evaluation.accuracy:.2%}" in output
    rows = [line.split() for line in output.splitlines() if re.match(r" *\d+ ", line)]
    assert [row[0] for row in rows] == [str(label) for label in range(10)]
    assert sum(int(row[1]) for row in rows) == 20
    assert sum(int(row[2]) for row in rows) == round(20 * evaluation.accuracy)


def test_by_label():
    y = np.array([0, 0, 0, 1, 2])
    answers = np.array([0, 2, 2, 1, 0])
    assert reports.by_label(y, answers) == [
        ["0", "3", "1", "33.33%", "2 (2 rows)"],
        ["1", "1", "1", "100.00%", ""],
        ["2", "1", "0", "0.00%", "0 (1 row)"],
    ]


def test_evaluate_regression(place):
    network = Network([36, 1], loss="squared_error", seed=0)
    dataset = reports.open_data("data")[0]
    network.fit(dataset.X_train, dataset.y_train, epochs=1, engine="numpy", verbose=0)
    network.save("regression.npz")
    output = run("evaluate", "regression.npz", "--data", "data", *NUMPY).stdout
    assert "loss" in output
    assert "accuracy" not in output


def test_bad_evaluate(place):
    Network([5, 10], seed=0).save("small.npz")
    (place / "text.npz").write_text("no archive")
    for arguments, message in (
        (["nowhere.npz"], "nowhere.npz: there is no such file"),
        (["text.npz"], "text.npz: not an .npz archive"),
        (["model.h5"], "must end in a supported suffix"),
        (["data"], "model.npz: there is no such file"),
        (["small.npz"], "36 features, but the network was built for 5 inputs"),
    ):
        result = run("evaluate", *arguments, "--data", "data", *NUMPY, code=2)
        assert result.stderr.startswith("error: ")
        assert message in result.stderr
    write_idx(place / "untested", n_test=0)
    assert "no test rows" in run("evaluate", "small.npz", "--data", "untested", code=2).stderr


@pytest.mark.parametrize(
    "command",
    [
        ["evaluate", "nielsen-001"],
        ["predict", "nielsen-001", "digit.png"],
        ["plot", "nielsen-001"],
        ["convert", "nielsen-001", "model.json"],
        ["serve", "nielsen-001"],
    ],
    ids=lambda command: command[0],
)
def test_a_run_that_is_not_there(place, command):
    pytest.importorskip({"plot": "matplotlib", "serve": "uvicorn"}.get(command[0], "numpy"))
    (place / "runs" / "nielsen-001").mkdir(parents=True)
    Network([36, 10], seed=0).save(place / "runs" / "nielsen-001" / "model.npz")
    told = run(*command, code=2).stderr
    assert told.startswith(f"error: nielsen-001: no such run or file in {place}; did you mean runs/nielsen-001?")


# Predict


@pytest.fixture
def drawings(place):
    """A model that has seen a few digits, and two drawings of upright strokes."""
    pil = pytest.importorskip("PIL.Image")
    network = Network([784, 10], seed=0)
    X = np.zeros((20, 784), dtype=np.uint8)
    X[np.arange(20), np.arange(20) % 10 * 28] = 255
    network.fit(X, np.arange(20) % 10, epochs=1, engine="numpy", verbose=0)
    network.save("model.npz")
    for name, width in (("thin.png", 4), ("thick.jpg", 16)):
        page = np.full((120, 90, 3), 240, dtype=np.uint8)
        page[20:100, 40 : 40 + width] = (20, 30, 90)
        pil.fromarray(page).save(name)
    return place


def test_predict(drawings):
    output = run("predict", "model.npz", "thin.png", "thick.jpg", *NUMPY).stdout
    network = load("model.npz")
    for name in ("thin.png", "thick.jpg"):
        row = as_digit(name).reshape(1, -1)
        probabilities = network.predict_proba(row, engine="numpy")[0]
        lines = output[output.index(name) :].splitlines()
        assert lines[0] == f"{name}: {network.predict(row, engine='numpy')[0]}"
        for label, share in enumerate(probabilities):
            assert lines[1 + label].split() == [str(label), f"{share:.1%}", "█" * round(40 * float(share))]


def test_predict_shows_what_the_network_saw(drawings):
    lines = run("predict", "model.npz", "thin.png", "--show", *NUMPY).stdout.splitlines()
    digit = as_digit("thin.png")
    assert [line.strip() for line in lines[1:29]] == [line.strip() for line in predict.picture(digit)]
    assert sum("█" in line for line in lines[1:29]) == 20


def test_bad_predict(drawings):
    Network([36, 10], seed=0).save("small.npz")
    Network([784, 1], loss="squared_error", seed=0).save("regression.npz")
    (drawings / "text.png").write_text("no image")
    pil = pytest.importorskip("PIL.Image")
    pil.new("L", (50, 50), 255).save("blank.png")
    pil.new("1", (9000, 9000)).save("huge.png")
    for arguments, message in (
        (["model.npz", "nowhere.png"], "nowhere.png: there is no such file"),
        (["model.npz", "text.png"], "text.png: this is no image"),
        (["model.npz", "blank.png"], "blank.png: nothing stands out"),
        (["model.npz", "huge.png"], "huge.png has 9,000 by 9,000 pixels"),
        (["nowhere.npz", "thin.png"], "nowhere.npz: there is no such file"),
        (["small.npz", "thin.png"], "small.npz: this network takes 36 features"),
        (["model.npz", "thin.png", "--pixels", "1"], "--pixels must be a range such as 0..1"),
        (["model.npz", "thin.png", "--logits"], "--logits: the network ends in softmax"),
        (["regression.npz", "thin.png", "--logits"], "--logits: the network has one output"),
        (["model.npz", "thin.png", "--engine", "nump"], "unknown engine 'nump'; did you mean 'numpy'?"),
    ):
        result = run("predict", *arguments, code=2)
        assert result.stderr.startswith("error: ")
        assert message in result.stderr
        assert result.stdout == ""


def test_good_pictures_are_answered_before_bad_ones_fail(drawings):
    (drawings / "text.png").write_text("no image")
    (drawings / "lfs.png").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n")
    good = run("predict", "model.npz", "thin.png", "thick.jpg", "thin.png", *NUMPY).stdout
    mixed = ["thin.png", "text.png", "thick.jpg", "nowhere.png", "lfs.png", "thin.png"]
    result = run("predict", "model.npz", *mixed, *NUMPY, code=2)
    assert result.stdout == good
    assert [line.split(":")[0].split()[-1] for line in result.stderr.splitlines()] == [
        "error", "nowhere.png", "lfs.png"
    ]  # fmt: skip
    assert "text.png: this is no image" in result.stderr
    assert "pointer of Git LFS" in result.stderr


def test_several_sigmoids_are_shown_as_their_own_values(drawings):
    net = Network([784, 10], output="sigmoid", loss="squared_error", seed=0)
    dark = [(np.zeros((784, 10)), np.full(10, -3.0))]  # 0.0474 each, and a tenth of their sum
    net.set_weights(dark)
    net.labels = Labels("classes", np.arange(10))
    net.save("dark.npz")
    lines = run("predict", "dark.npz", "thin.png", *NUMPY).stdout.splitlines()
    assert "0.0474" in lines[-2] and "%" not in lines[-2]
    assert "no output reaches 0.5" in lines[-1]


def test_predict_without_pillow(drawings, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert 'pip install "pillow' in run("predict", "model.npz", "thin.png", code=2).stderr


# Warm-up


def test_warmup(monkeypatch):
    pytest.importorskip("numba")
    compiled = pytest.importorskip("fastmlp.engines.simd.engine")
    asked = []

    def warmup(dtypes):
        asked.extend(dtypes)
        return {"batches": 1.25, "samples": 0.5}

    monkeypatch.setattr(compiled, "warmup", warmup)
    output = run("warmup").stdout
    assert asked == ["float32", "float64"]
    assert "batches: 1.25 s" in output
    assert "Done in 3.5 s." in output
    run("warmup", "--dtype", "float64")
    assert asked == ["float32", "float64", "float64"]


def test_bad_warmup():
    assert "unknown dtype 'float16'; did you mean" in run("warmup", "--dtype", "float16", code=2).stderr


def test_warmup_without_numba(monkeypatch):
    from fastmlp.errors import MissingDependencyError

    def missing(name):
        raise MissingDependencyError("engine='numba' needs Numba; install it with: pip install numba")

    monkeypatch.setattr(reports, "get_engine", missing)
    assert "pip install numba" in run("warmup", code=2).stderr


def test_unexpected_operating_system_error(monkeypatch):
    def fail(folder):
        raise PermissionError(13, "Permission denied", "secret")

    monkeypatch.setattr(reports, "open_data", fail)
    monkeypatch.setattr(reports, "open_model", lambda model: Network([2, 2], seed=0))
    assert run("evaluate", "model.npz", code=2).stderr == "error: secret: Permission denied\n"


def test_recipe_request_is_checked_before_data_are_read(monkeypatch):
    with pytest.raises(ArgumentError, match="unknown recipe"):
        changed_recipe(replace(Request(), recipe="nobody"))


def test_convert_goes_by_suffix_and_replaces_nothing(place):
    network = Network([5, 10], seed=0)
    network.save("model.npz")
    assert "model.json: 60 parameters" in run("convert", "model.npz", "model.json").stdout
    np.testing.assert_array_equal(load("model.json").state.parameters, network.state.parameters)
    assert "exists already" in run("convert", "model.npz", "model.json", code=2).stderr
    run("convert", "model.npz", "model.json", "--force")
    run("convert", "model.json", "model.c")
    assert "void predict(" in Path("model.c").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model.c", "model.json"], "path must end in a supported suffix (.npz"),
        (["model.npz", "model.h5"], "TARGET must end in a supported suffix (.npz"),
        (["model.npz", "nowhere/model.json"], "folder 'nowhere' does not exist"),
        (["nowhere.npz", "model.json"], "no such file"),
    ],
)
def test_convert_says_what_it_cannot_do(place, arguments, message):
    Network([5, 10], seed=0).save("model.npz")
    assert message in run("convert", *arguments, code=2).stderr
