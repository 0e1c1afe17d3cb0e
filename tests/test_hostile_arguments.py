"""Every argument of the public interface meets values that make no sense: each gives an error of ours that names the
argument, before any kernel is entered.
"""

import importlib
import inspect
import re

import numpy as np
import pytest

import fastmlp
from fastmlp import Checkpoint, CSVLogger, Dense, Network, Scaling, datasets, load, network, recipes
from fastmlp.engines import get_engine, numpy_engine
from fastmlp.errors import FastMLPError

X = np.eye(4, dtype=np.float32)
Y = np.array([0, 1, 2, 0])


class Odd:
    def __repr__(self):
        return "Odd()"


def _read_only(array):
    array.flags.writeable = False
    return array


# Wrong for every argument there is.
HOSTILE = {
    "text": "nonsense",
    "bytes": b"x",
    "object": Odd(),
    "class": Odd,
    "function": lambda: None,
    "nan": float("nan"),
    "infinity": float("inf"),
    "minus infinity": -float("inf"),
    "complex": 1j,
    "huge": 10**400,
    "set": {1},
    "ragged": [[1], [1, 2]],
    "nested": [[[[]]]],
    "nan array": np.full((4, 4), np.nan),
    "five axes": np.zeros((2, 2, 2, 2, 2)),
    "read-only five axes": _read_only(np.zeros((2, 2, 2, 2, 2))),
    "objects": np.array([None, Odd()], dtype=object),
    "dates": np.array(["2020-01-01"], "datetime64[D]"),
    "texts": np.array(["a"] * 5),
}

# What else is wrong, by what an argument is.
NUMBER = {"none": None, "true": True, "empty": [], "dict": {}}
POSITIVE = {**NUMBER, "negative": -1}
WHOLE = {**POSITIVE, "zero": 0, "fraction": 1.5}
NAME = {"empty": [], "dict": {}, "true": True, "negative": -1, "zero": 0}
SWITCH = {"none": None, "zero": 0, "empty": []}
SAMPLES = {"none": None, "empty": np.empty((0, 4)), "dict": {}, "true": True, "three features": X[:, :3].copy()}
LABELS = {"empty": [], "dict": {}, "true": True, "too few": Y[:3], "read-only too few": _read_only(Y[:3].copy())}
WEIGHTS = {"empty": [], "dict": {}, "too few": np.ones(3), "negative": -np.ones(4), "zero": np.zeros(4)}
ROWS = {"empty": [], "dict": {}, "true": True, "beyond": [4], "negative": [-1], "halves": [0.5], "a short mask": [True]}


def _each(names, values):
    return {name: values for name in names}


def _data(name, **usual):
    return lambda **changed: getattr(datasets, name)(**usual | changed)


def _load_idx(**changed):
    return datasets.load_idx(**{"images": "images", "labels": "labels"} | changed)


def _fit(**changed):
    arguments = {"X": X, "y": Y, "epochs": 1, "engine": "numpy", "verbose": 0} | changed
    return Network([4, 3], seed=0).fit(**arguments)


def _method(name):
    def call(**changed):
        known = {"X": X, "y": Y, "engine": "numpy"}
        method = getattr(Network([4, 3], seed=0), name)
        parameters = inspect.signature(method).parameters
        return method(**{key: value for key, value in known.items() if key in parameters} | changed)

    return call


def _set_weights(**changed):
    return Network([4, 3]).set_weights(**changed)


def _fit_many(**changed):
    arguments = {"networks": [Network([4, 3], seed=0)], "X": X, "y": Y, "epochs": 1, "engine": "numpy", "verbose": 0}
    return fastmlp.fit_many(**arguments | changed)


def _find_learning_rate(**changed):
    arguments = {"net": Network([4, 3], seed=0), "X": X, "y": Y, "engine": "numpy"} | changed
    return fastmlp.find_learning_rate(**arguments)


def _save(**changed):
    return Network([4, 3]).save(**{"path": "net.npz"} | changed)


def _network(**changed):
    return Network(**{"layers": [4, 3]} | changed)


def _dense(**changed):
    return Dense(**{"units": 3} | changed)


def _checkpoint(**changed):
    return Checkpoint(**{"path": "run.npz"} | changed)


def _csv_logger(**changed):
    return CSVLogger(**{"path": "log.csv"} | changed)


def _of(name, **usual):
    def make(**changed):
        return getattr(fastmlp, name)(**usual | changed)

    return make


CALLS = {
    "Network": (
        _network,
        {
            "layers": {"none": None, "empty": [], "one": [4], "zero": [4, 0], "negative": [4, -1], "floats": [4.5, 3]},
            **_each(("hidden", "output", "loss", "initializer", "bias_initializer", "dtype"), {"negative": -1}),
            **_each(("l1", "l2", "label_smoothing"), POSITIVE),
            "quantile": {**POSITIVE, "zero": 0, "one": 1},
            "bias": SWITCH,
            "scaling": NAME,
            "seed": {"negative": -1, "fraction": 1.5, "true": True, "empty": []},
        },
    ),
    "Network.fit": (
        _fit,
        {
            "X": SAMPLES,
            "y": LABELS,
            "epochs": WHOLE,
            "batch_size": WHOLE,
            **_each(("optimizer", "schedule", "engine"), NAME),
            "validation_split": {**POSITIVE, "one": 1},
            **_each(("rows", "rows_val"), ROWS),
            "sample_weight": WEIGHTS,
            "X_val": {"without y_val": X},
            "y_val": {"without X_val": Y},
            "class_weight": {"negative": {0: -1}, "unknown": {17: 1.0}, "empty": []},
            "shuffle": SWITCH,
            "callbacks": {"none": None, "list of others": [Odd()]},
            "resume_from": {"zero": 0, "empty": [], "other suffix": "run.pkl"},
            "threads": WHOLE,
            "verbose": {"none": None, "negative": -1, "empty": []},
        },
    ),
    "fit_many": (
        _fit_many,
        {
            "networks": {"none": None, "empty": [], "others": [Odd()]},
            "X": SAMPLES,
            "y": {**LABELS, "none": None},
            "epochs": WHOLE,
            "settings": {
                "dict": {},
                "too many": [{}, {}],
                "others": [Odd()],
                "unknown": [{"rate": 1}],
                "y": [{"y": Y}],
            },
            "threads": WHOLE,
            "engine": NAME,
            "verbose": {"none": None, "negative": -1, "empty": []},
        },
    ),
    "find_learning_rate": (
        _find_learning_rate,
        {
            "net": {"none": None, "list": [Network([4, 3])]},
            "X": SAMPLES,
            "y": {**LABELS, "none": None},
            **_each(("lowest", "highest"), {**POSITIVE, "zero": 0}),
            **_each(("steps", "batch_size", "threads"), WHOLE),
            **_each(("optimizer", "engine"), NAME),
            "sample_weight": WEIGHTS,
            "class_weight": {"negative": {0: -1}, "unknown": {17: 1.0}, "empty": []},
        },
    ),
    **{
        f"Network.{name}": (_method(name), {"X": SAMPLES, "engine": NAME})
        for name in ("__call__", "predict", "predict_proba")
    },
    "Network.activations": (_method("activations"), {"X": SAMPLES}),
    **{
        f"Network.{name}": (_method(name), {"X": SAMPLES, "y": LABELS, "sample_weight": WEIGHTS, "engine": NAME})
        for name in ("evaluate", "gradient")
    },
    "Network.trace": (_method("trace"), {"X": SAMPLES, "y": LABELS, "sample_weight": WEIGHTS}),
    "Network.check_gradient": (
        _method("check_gradient"),
        {
            "X": SAMPLES,
            "y": LABELS,
            "sample_weight": WEIGHTS,
            "per_layer": {name: value for name, value in WHOLE.items() if name != "none"},
            "step": {name: value for name, value in {**POSITIVE, "zero": 0}.items() if name != "none"},
            "seed": {**NUMBER, "negative": -1, "fraction": 1.5},
        },
    ),
    "Network.set_weights": (_set_weights, {"weights": {"none": None, "empty": [], "shape": [(X, np.zeros(3))]}}),
    "Network.save": (_save, {"path": {"none": None, "zero": 0, "suffix": "net.pkl"}, "training_state": SWITCH}),
    "load": (lambda path: load(path), {"path": {"none": None, "zero": 0, "suffix": "net.pkl"}}),
    "read_idx": (datasets.read_idx, {"path": {"none": None, "zero": 0}}),
    "load_idx": (_load_idx, _each(("images", "labels"), {"none": None, "zero": 0})),
    "load_idx_folder": (datasets.load_idx_folder, {"folder": {"none": None, "zero": 0}}),
    "load_csv": (datasets.load_csv, {"path": {"none": None, "zero": 0}}),
    "load_data": (datasets.load_data, {"path": {"none": None, "zero": 0}}),
    "recipes.get": (recipes.get, {"name": {**NAME, "none": None}}),
    "Dense": (
        _dense,
        {
            "units": WHOLE,
            **_each(("activation", "initializer", "bias_initializer"), NAME),
            "dropout": {**POSITIVE, "one": 1},
            "bias": {"zero": 0, "empty": []},
        },
    ),
    "SGD": (
        _of("SGD"),
        {"learning_rate": POSITIVE, "momentum": POSITIVE, "nesterov": SWITCH, "weight_decay": POSITIVE},
    ),
    "RMSprop": (_of("RMSprop"), {"learning_rate": POSITIVE, "decay": {**POSITIVE, "one": 1}, "epsilon": POSITIVE}),
    **{
        name: (
            _of(name),
            {
                "learning_rate": POSITIVE,
                **_each(("beta_1", "beta_2"), {**POSITIVE, "one": 1}),
                "epsilon": {**POSITIVE, "zero": 0},
                "weight_decay": POSITIVE,
                "clip_norm": {"zero": 0, "negative": -1, "empty": []},
                "epsilon_hat": SWITCH,
            },
        )
        for name in ("Adam", "AdamW")
    },
    "Step": (_of("Step", every=1), {"every": POSITIVE, "factor": {**POSITIVE, "zero": 0}}),
    "Exponential": (_of("Exponential", factor=0.5), {"factor": {**POSITIVE, "zero": 0}}),
    "Linear": (_of("Linear", epochs=1), {"epochs": POSITIVE, "final": POSITIVE}),
    "Cosine": (_of("Cosine", epochs=1), {"epochs": POSITIVE, "final": POSITIVE}),
    "OneCycle": (_of("OneCycle", epochs=1), _each(("epochs", "warm_up", "start", "final"), POSITIVE)),
    "WarmUp": (_of("WarmUp", epochs=1), {"epochs": POSITIVE, "start": POSITIVE, "then": NAME}),
    "EarlyStopping": (
        _of("EarlyStopping"),
        {"monitor": NAME, "patience": WHOLE, "min_delta": POSITIVE, "restore_best": SWITCH},
    ),
    "ReduceOnPlateau": (
        _of("ReduceOnPlateau"),
        {"monitor": NAME, "factor": {**POSITIVE, "one": 1}, "patience": WHOLE, "min_learning_rate": POSITIVE},
    ),
    "Checkpoint": (_checkpoint, {"path": {"none": None, "suffix": "run.pkl"}, "every": WHOLE, "keep": WHOLE}),
    "CSVLogger": (_csv_logger, {"path": {"none": None, "suffix": "log.txt"}, "append": SWITCH}),
    "Normal": (_of("Normal"), {"std": POSITIVE, "mean": NUMBER}),
    "Uniform": (_of("Uniform"), {"low": NUMBER, "high": NUMBER}),
    "VarianceScaling": (
        _of("VarianceScaling", gain=1.0, fan="in", distribution="normal"),
        {"gain": POSITIVE, "fan": NAME, "distribution": NAME},
    ),
    "Scaling": (Scaling, {"scale": NUMBER, "shift": NUMBER, "centre": NUMBER}),
}

# By the argument: other words that an error may use for it.
ALSO_CALLED = {"layers": "layer", "weights": "W of layer|b of layer", "name": "recipe", "resume_from": "path"}
ALSO_CALLED |= {"images": "no such file", "labels": "no such file"}

# What makes sense after all.
TAKEN = {
    ("split", "X"): {"nan array"},  # rows of whatever kind
    ("split", "y"): {"nan array"},
    ("split", "seed"): {"huge"},
    ("MLPClassifier", "n_iter_no_change"): {"infinity"},
    ("MLPRegressor", "n_iter_no_change"): {"infinity"},
}


@pytest.fixture
def no_kernel(monkeypatch, tmp_path):
    """Have the engine fail when it is asked to compute; and be where files do no harm."""

    def entered(*_, **__):
        raise AssertionError("a kernel was entered")

    for engine in {numpy_engine, get_engine("auto")}:
        for name in ("train_epoch", "forward", "loss_and_gradient", "evaluate"):
            monkeypatch.setattr(engine, name, entered)
    for name in ("trace", "check_gradient"):
        monkeypatch.setattr(network, name, entered)
    monkeypatch.chdir(tmp_path)


def _complaint(call, argument, value):
    """What is wrong with how this call meets a hostile value; empty if nothing is."""
    try:
        call(**{argument: value})
    except FastMLPError as error:
        words = f"{argument}|{ALSO_CALLED.get(argument, argument)}"
        return "" if re.search(words, str(error)) else f"does not name it: {error}"
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    return "takes it"


def _complaints(name, call, argument, values):
    left = {kind: value for kind, value in values.items() if kind not in TAKEN.get((name, argument), ())}
    return {kind: complaint for kind, value in left.items() if (complaint := _complaint(call, argument, value))}


CASES = [(name, argument) for name, (_, arguments) in CALLS.items() for argument in arguments]


@pytest.mark.parametrize(("name", "argument"), CASES, ids=lambda value: value)
def test_a_value_that_makes_no_sense_is_named_before_any_kernel(no_kernel, name, argument):
    call, arguments = CALLS[name]
    assert _complaints(name, call, argument, {**HOSTILE, **arguments[argument]}) == {}


@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
def test_estimators_name_a_parameter_that_makes_no_sense(no_kernel, kind):
    pytest.importorskip("sklearn")
    made = getattr(importlib.import_module("fastmlp.estimators"), kind)

    def fit(**changed):
        return made(**{"max_iter": 1} | changed).fit(X, Y)

    unused = {"weight_decay", "decay", "quantile"}  # by the defaults of others
    for argument in sorted(set(made().get_params()) - unused):
        assert _complaints(kind, fit, argument, HOSTILE) == {}, argument
