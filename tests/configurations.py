"""What hypothesis draws whole calls of `Network.fit` from: networks, data and arguments."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import strategies as st

from fastmlp import Dense, Network
from fastmlp.data.samples import Scaling
from fastmlp.errors import TrainingError
from fastmlp.model.losses import LOSSES

from .engines.problems import random_inputs
from .engines.strategies import HIDDEN, KINDS, SMOOTH, optimizers
from .interpreted import INTERPRETED, size


class Form(NamedTuple):
    """Sizes that have the SIMD engine divide its work in one way; ranges are inclusive."""

    rows: tuple[int, int]
    inputs: tuple[int, int]
    first: tuple[int, int]
    """Units of the first layer."""
    batches: tuple[int, ...]
    hidden: int = 0
    """Hidden layers, at least."""


FORMS = {
    "any": Form((6, size(60, 12)), (1, 40), (1, 40), (1, 2, 7, 15)),
    "halves": Form((6, size(60, 12)), (1, 40), (33, 70), (1, 2, 7, 15), hidden=1),
    "groups": Form((1024, 1100), (1, 12), (1, 12), (1024,)),
    "parted": Form((2048, 2100), (100, 100), (1, 40), (8, 200)),
    "wide": Form((200, 260), (300, 500), (60, 130), (8, 150), hidden=1),
}
if INTERPRETED:
    FORMS = {name: FORMS[name] for name in ("any", "halves")}

KINKED_LOSSES = ("absolute_error", "quantile", "huber")


@dataclass
class Configuration:
    """What a network is made and trained with.

    Attributes
    ----------
    form : str
        Of `FORMS`.
    layers : list
    options : dict
        Of the constructor.
    arguments : dict
        Of `fit`.
    """

    form: str
    layers: list[Any]
    options: dict[str, Any]
    arguments: dict[str, Any] = field(repr=False)

    def fit(self, **more):
        """Train a new network."""
        network = Network(self.layers, **self.options)
        network.fit(**self.arguments, **more, verbose=0)
        return network

    def reference(self, **more):
        """Do the same; a training that diverges is none to compare with."""
        try:
            return self.fit(**more)
        except TrainingError:
            assume(False)


@st.composite
def configurations(draw, name, dtypes=("float32", "float64"), smooth=False):
    """Draw configurations of a form; `smooth` ones have no kink at which two roundings would part."""
    form, generator = FORMS[name], np.random.default_rng(draw(st.integers(0, 1000)))
    inputs, rows = draw(st.integers(*form.inputs)), draw(st.integers(*form.rows))
    layers, options = draw(networks(name, inputs, smooth))
    outputs, loss = layers[-1], options["loss"]
    kind = draw(st.sampled_from([kind for kind in KINDS if name != "parted" or "csr" in kind or kind == "uint8"]))
    X = samples(name, kind, rows, inputs, draw(st.sampled_from([0.3, 1.0])))
    y = targets(generator, loss, rows, outputs, draw(st.booleans()))
    options |= {"scaling": draw(scalings(name, kind, inputs)), "dtype": draw(st.sampled_from(dtypes)), "seed": 3}
    arguments = draw(fits(form, loss, X, y, generator))
    if kind.startswith("csr"):
        sparse = pytest.importorskip("scipy.sparse")
        arguments |= {key: sparse.csr_matrix(arguments[key]) for key in ("X", "X_val") if key in arguments}
    return Configuration(name, layers, options, arguments)


@st.composite
def networks(draw, name, inputs, smooth):
    """Draw layers, and options of the constructor."""
    form, loss = (
        FORMS[name],
        draw(st.sampled_from([loss for loss in LOSSES if not smooth or loss not in KINKED_LOSSES])),
    )
    activations = SMOOTH if smooth else HIDDEN
    layers = [inputs]
    for number in range(draw(st.integers(form.hidden, 2))):
        units = draw(st.integers(*form.first) if number == 0 else st.integers(1, min(40, form.first[1])))
        rate = 0.0 if number == 0 and name == "halves" else draw(st.sampled_from([0.0, 0.0, 0.3]))
        bias, trainable = draw(st.sampled_from([None, True, False])), draw(st.sampled_from([True, True, False]))
        layers.append(Dense(units, draw(st.sampled_from(activations)), rate, bias, trainable=trainable))
    outputs = draw(st.integers(2 if loss == "cross_entropy" else 1, 5))
    options = {"loss": loss, "l2": draw(st.sampled_from([0.0, 0.0, 0.01]))}
    if not smooth:
        options["l1"] = draw(st.sampled_from([0.0, 0.0, 0.01]))
    if loss == "cross_entropy":
        options["label_smoothing"] = draw(st.sampled_from([0.0, 0.2]))
    if loss == "quantile":
        options["quantile"] = draw(st.sampled_from([0.2, 0.5]))
    if not LOSSES[loss].from_logits:
        options["output"] = draw(st.sampled_from([name for name in activations if outputs > 1 or name != "softmax"]))
    return [*layers, outputs], options


def samples(name, kind, rows, inputs, density):
    """Make dense rows of a kind; of those for "parted", most of the last sixty columns is zero."""
    X = random_inputs(rows, inputs, kind.removeprefix("csr-"), rows, density if name != "parted" else 0.9)
    if name == "parted":
        X[:, 40:] *= np.random.default_rng(0).random((rows, inputs - 40)) < 0.1
    assume(X.any())
    return X


def scalings(name, kind, inputs):
    """Scalings under which rows have a length of a few units, for long ones make a training diverge."""
    largest, shorter = 255 if "uint8" in kind else 1, np.sqrt(min(1, 10 / inputs))
    own = [Scaling(shorter / largest), Scaling(shorter / largest, np.linspace(-0.5, 0.5, inputs) * shorter)]
    others = ["auto", "standardize", *(["centred_pixels"] if "uint8" in kind else [])]
    return st.sampled_from(own if name in ("parted", "wide") else [own[1], *others])


def targets(generator, loss, rows, outputs, rowwise):
    """Make targets for a loss: labels, of which every one is there, or where `rowwise` a row for each sample."""
    if loss == "cross_entropy" and not rowwise:
        return np.array([*"abcde"])[generator.permutation(np.arange(rows) % outputs)]
    if loss == "cross_entropy":
        return generator.dirichlet(np.ones(outputs), rows)
    if loss == "binary_cross_entropy":
        marks = generator.integers(0, 2, (rows, outputs))
        marks[:2] = [[0], [1]]
        return marks if outputs > 1 else marks[:, 0]
    numbers = generator.uniform(-1, 1, (rows, outputs))
    numbers = np.floor(3 + 3 * numbers) if loss == "poisson" else numbers
    return numbers if outputs > 1 or rowwise else numbers[:, 0]


@st.composite
def fits(draw, form, loss, X, y, generator):
    """Draw the arguments of `fit`."""
    rows = trained = len(X)
    arguments = {
        "X": X,
        "y": y,
        "epochs": draw(st.integers(1, 4)),
        "optimizer": draw(optimizers(epsilon=1e-3)),
        "schedule": draw(st.sampled_from([None, None, "cosine", "one_cycle", "warm_up"])),
        "shuffle": draw(st.booleans()),
    }
    validated = draw(st.sampled_from(["not", "on a share", "on others"]))
    if validated == "on a share":
        arguments["validation_split"] = 0.25
        trained = rows - round(rows * 0.25)
    elif validated == "on others":
        others = generator.integers(0, rows, draw(st.integers(1, 50)))
        arguments |= {"X_val": X[others], "y_val": y[others]}
    around = trained - 1, trained, trained + 1, 2 * trained, 5000
    arguments["batch_size"] = draw(st.sampled_from(form.batches) | st.sampled_from(around))
    if draw(st.booleans()):
        arguments["sample_weight"] = generator.integers(0, 3, rows) + np.arange(rows) / rows
    if y.ndim == 1 and "cross_entropy" in loss:
        weights = {label: 1.0 + number for number, label in enumerate(np.unique(y).tolist())}
        arguments["class_weight"] = draw(st.sampled_from([None, "balanced", weights]))
    return arguments
