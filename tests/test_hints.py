"""Words of other libraries: what users of them write gets a remedy that works here."""

import re

import numpy as np
import pytest

import fastmlp
from fastmlp import (
    SGD,
    Adam,
    AdamW,
    Checkpoint,
    CSVLogger,
    Dense,
    EarlyStopping,
    Network,
    ReduceOnPlateau,
    RMSprop,
    find_learning_rate,
    hints,
)
from fastmlp.engines import ENGINES
from fastmlp.errors import ArgumentError, ArgumentTypeError, unknown_name
from fastmlp.model.activations import ACTIVATIONS
from fastmlp.model.initializers import INITIALIZERS
from fastmlp.model.losses import LOSSES
from fastmlp.model.optimizers import OPTIMIZERS
from fastmlp.model.schedules import SCHEDULES
from fastmlp.training.arguments import SCALINGS
from fastmlp.training.callbacks import MONITORS

X, Y = np.zeros((5, 784)), [0, 1, 2, 0, 1]
NET = Network([784, 4, 3], seed=0)

CHOICES = {
    "loss": LOSSES,
    "activation": ACTIVATIONS,
    "optimizer": OPTIMIZERS,
    "scaling": SCALINGS,
    "schedule": SCHEDULES,
    "initializer": [*INITIALIZERS, "auto"],
    "monitor": MONITORS,
    "engine": ENGINES,
}
CALLS = {
    "Network": [Network.__init__],
    "Network.fit": [Network.fit],
    "Network.evaluate": [Network.evaluate],
    "Dense": [Dense.__init__],
    "optimizers": [SGD.__init__, RMSprop.__init__, Adam.__init__, AdamW.__init__],
    "callbacks": [EarlyStopping.__init__, Checkpoint.__init__, ReduceOnPlateau.__init__, CSVLogger.__init__],
    "find_learning_rate": [find_learning_rate],
}


def fit(**changed):
    return NET.fit(X, Y, **({"epochs": 1, "engine": "numpy", "verbose": 0} | changed))


def message(error, call):
    with pytest.raises(error) as raised:
        call()
    return str(raised.value)


@pytest.mark.parametrize(
    ("kind", "word", "ours"),
    [
        ("loss", "mse", "squared_error"),
        ("loss", "MSELoss", "squared_error"),
        ("loss", "mae", "absolute_error"),
        ("loss", "categorical_crossentropy", "cross_entropy"),
        ("loss", "sparse_categorical_crossentropy", "cross_entropy"),
        ("loss", "CrossEntropyLoss", "cross_entropy"),
        ("loss", "binary_crossentropy", "binary_cross_entropy"),
        ("loss", "bce", "binary_cross_entropy"),
        ("activation", "logistic", "sigmoid"),
        ("activation", "linear", "identity"),
        ("activation", None, "identity"),
        ("activation", "swish", "silu"),
        ("activation", "LeakyReLU", "leaky_relu"),
        ("optimizer", "SGD", "sgd"),
        ("optimizer", "gradient_descent", "sgd"),
        ("initializer", "glorot_uniform", "xavier_uniform"),
        ("scaling", "StandardScaler", "standardize"),
        ("schedule", "CosineAnnealingLR", "cosine"),
        ("monitor", "acc", "accuracy"),
        ("engine", "cpu", "numba"),
    ],
)
def test_a_name_of_others_gets_ours(kind, word, ours):
    assert f"; did you mean {ours!r}? Known: " in str(unknown_name(kind, word, CHOICES[kind]))


@pytest.mark.parametrize(
    ("call", "remedy"),
    [
        (lambda: Network([784, 3], loss="mse"), "did you mean 'squared_error'?"),
        (
            lambda: Network([784, 3], hidden="logistic"),
            "hidden: unknown activation 'logistic'; did you mean 'sigmoid'?",
        ),
        (lambda: Dense(3, "linear"), "did you mean 'identity'?"),
        (lambda: fit(optimizer="momentum"), "write optimizer=SGD(0.01, momentum=0.9)."),
        (lambda: fit(optimizer="adagrad"), "there is none here; 'rmsprop' comes nearest."),
        (lambda: fit(schedule="ReduceLROnPlateau"), "write callbacks=[ReduceOnPlateau()]."),
        (lambda: fit(engine="gpu"), "there is none for it; fastmlp runs on the CPU"),
    ],
)
def test_a_name_of_others_is_told_wherever_it_is_given(call, remedy):
    assert remedy in message(ArgumentError, call)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: fit(learning_rate=0.1), "'learning_rate'; the learning rate is the optimizer's: optimizer=Adam(0.1)."),
        (lambda: fit(lr=0.1), "Network.fit has no argument 'lr'; the learning rate is the optimizer's"),
        (lambda: fit(validation_data=(X, Y)), "'validation_data'; write X_val=X_new, y_val=y_new."),
        (lambda: fit(n_epochs=3), "'n_epochs'; write epochs=3."),
        (lambda: fit(epocs=3), "'epocs'; did you mean 'epochs'?"),
        (lambda: fit(random_state=3), "the network has it: Network(..., seed=3)."),
        (
            lambda: NET.fit(X, Y, 10),
            "takes 2 arguments without names, X, y, and got 3; name the others, such as epochs=10",
        ),
        (lambda: NET.evaluate(X, Y, verbose=0), "Network.evaluate has no argument 'verbose'; leave it out"),
        (lambda: Network(784, 16, 10), "give the layers as one list: Network([784, 16, 10])"),
        (lambda: Network(784, Dense(16, "relu"), 10), "as one list: Network([784, Dense(16, 'relu'), 10])"),
        (
            lambda: Network([784, 10], "tanh"),
            "takes 1 argument without names, layers, and got 2; name the others, such as",
        ),
        (lambda: Network(hidden_layer_sizes=(3,)), "all sizes go into the first argument"),
        (lambda: Network([784, 3], activation="tanh"), "'activation'; write hidden='tanh'."),
        (lambda: Network([784, 3], optimizer="adam"), "fit(..., optimizer='adam')."),
        (lambda: Network([784, 3], dropout=0.2), "Dense(128, dropout=0.2)"),
        (lambda: Dense(3, use_bias=False), "Dense has no argument 'use_bias'; write bias=False."),
        (lambda: SGD(lr=0.1), "SGD has no argument 'lr'; write learning_rate=0.1."),
        (lambda: AdamW(betas=(0.9, 0.99)), "write beta_1=..., beta_2=..."),
        (lambda: EarlyStopping(restore_best_weights=True), "write restore_best=True."),
        (lambda: Checkpoint(filepath="run.npz"), "write path='run.npz'."),
        (lambda: ReduceOnPlateau(min_lr=1e-5), "write min_learning_rate=1e-05."),
        (lambda: CSVLogger(filename="log.csv"), "write path='log.csv'."),
        (lambda: find_learning_rate(NET, X, Y, end_lr=1.0), "write highest=1.0."),
        (lambda: Network([784, 3], nonsense=1), "Network has no argument 'nonsense'. Known: layers, hidden, "),
    ],
)
def test_an_argument_of_others_gets_a_remedy(call, told):
    assert told in message(ArgumentTypeError, call)


@pytest.mark.parametrize(
    ("shape", "remedy"),
    [
        ((28, 28), "for one sample of shape (28, 28) give X.reshape(1, -1)"),
        ((28, 28, 1), "for one sample of shape (28, 28, 1) give X.reshape(1, -1)"),
        ((784, 1), "for one sample of shape (784, 1) give X.reshape(1, -1)"),
        ((784,), "for one sample give X.reshape(1, -1)"),
        ((784, 5), "samples are rows: give X.T"),
        ((5, 28, 28, 1), "for images give X.reshape(len(X), -1)"),
    ],
)
@pytest.mark.parametrize("made", [np.zeros, lambda shape: np.zeros(shape).tolist()], ids=["array", "list"])
def test_samples_of_another_shape_are_told_how_to_be_rows(shape, remedy, made):
    assert message(ArgumentError, lambda: NET.predict(made(shape))).endswith(remedy)


def test_a_learning_rate_that_is_a_number_is_another_parameter_of_an_estimator():
    pytest.importorskip("sklearn")
    told = message(ArgumentError, lambda: fastmlp.estimators.MLPClassifier(learning_rate=0.1).fit(X, Y))
    assert "give learning_rate_init=0.1" in told


@pytest.mark.parametrize("table", [*hints._NAMES.values(), *hints._ARGUMENTS.values(), hints.OPTIONS, hints.COMMANDS])
def test_no_word_stands_for_two_things(table):
    words = " ".join(table.values()).split()
    assert len(words) == len(set(words))


@pytest.mark.parametrize("kind", CHOICES)
def test_names_lead_to_names_that_are_there(kind):
    for ours, words in hints._NAMES[kind].items():
        assert ours in CHOICES[kind] or not ours.isidentifier()
        assert words == re.sub("[^a-z0-9 ]", "", words.lower())


@pytest.mark.parametrize("call", CALLS)
def test_arguments_lead_to_arguments_that_are_there(call):
    known = {name for method in CALLS[call] for name in method.__wrapped__.__code__.co_varnames}
    for ours, words in hints._ARGUMENTS[call].items():
        assert ours in known or not ours.isidentifier()
        for method in CALLS[call]:
            code = method.__wrapped__.__code__
            assert not set(words.split()) & set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def test_calls_that_are_right_are_left_alone():
    assert Adam(0.1, beta_1=0.5) == Adam(learning_rate=0.1, beta_1=0.5)
    assert fastmlp.Network(layers=[2, 2], seed=1).seed == 1
