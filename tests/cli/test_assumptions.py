"""Networks of other programs: what the commands assume of pixels and outputs, say, and let one choose."""

import json
import re

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

from fastmlp import Dense, Network, Scaling
from fastmlp.cli.assumptions import as_fed, check_range, with_probabilities
from fastmlp.errors import ArgumentError

from .test_app import NUMPY, drawings, place, run  # noqa: F401 (fixtures)

PIXELS = np.array([[0, 51, 255]], dtype=np.uint8)
X = np.random.default_rng(0).random((40, 3))
Y = np.arange(40) % 2


def untrained(scaling=None, **options):
    return Network([3, Dense(10, "identity")], loss="squared_error", scaling=scaling, seed=0, **options)


@pytest.mark.parametrize(
    ("text", "expected"),
    [(None, None), ("0..1", (0, 1)), ("-1..1", (-1, 1)), ("0..255", (0, 255)), (" 1 .. 0 ", (1, 0)),
     ("-0.4242..2.8215", (-0.4242, 2.8215)), ("-1e-1..1.e0", (-0.1, 1))],
)  # fmt: skip
def test_ranges(text, expected):
    assert check_range(text) == expected


@pytest.mark.parametrize("text", ["", "1", "0-1", "0..", "..1", "1..1", "a..b", "0..1..2", "0..nan", "0..1e999"])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(ArgumentError, match="--pixels must be a range such as"):
        check_range(text)


@pytest.mark.parametrize(
    ("scaling", "fed", "said"),
    [
        (None, [[0, 0.2, 1]], "taken as 0..1, since the file does not say; --pixels"),
        (Scaling(1 / 0.3081, -0.1307 / 0.3081), [[0, 0.2, 1]], "taken as 0..1, since"),
        ("auto", PIXELS, "taken as 0..1, since"),
        (Scaling.pixels(), PIXELS, "taken as 0..255, which the network scales itself"),
        (Scaling(1 / 127.5, -1.0), PIXELS, "taken as 0..255, which"),
        (Scaling(np.full(3, 1 / 78.6), np.full(3, -0.42)), PIXELS, "taken as 0..255, which"),
    ],
)
def test_the_range_of_a_network_that_was_not_trained_here_is_assumed(scaling, fed, said):
    X, assumed = as_fed(untrained(scaling), PIXELS, None)
    np.testing.assert_allclose(X, fed, rtol=1e-6)
    assert assumed.startswith(said)


def test_a_network_that_was_trained_here_knows_its_range():
    network = Network([3, 2], seed=0)
    network.fit((X * 255).astype(np.uint8), Y, epochs=1, engine="numpy", verbose=0)
    fed, assumed = as_fed(network, PIXELS, None)
    assert fed is PIXELS
    assert assumed == ""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("pixels", "expected"), [((-1, 1), [[-1, -0.6, 1]]), ((0, 255), PIXELS), ((1, 0), [[1, 0.8, 0]])]
)
def test_a_range_that_is_told_is_used(dtype, pixels, expected):
    fed, assumed = as_fed(untrained(dtype=dtype), PIXELS, pixels)
    assert fed.dtype == dtype
    np.testing.assert_allclose(fed, expected, rtol=1e-6)
    assert assumed.endswith("as specified")


def test_samples_that_are_no_pixels_stay_as_they_are():
    assert as_fed(untrained(), X, None)[0] is X
    with pytest.raises(ArgumentError, match="--pixels: the samples are float64"):
        as_fed(untrained(), X, (0.0, 1.0))


@pytest.mark.parametrize("logits", [None, True])
def test_logits_become_probabilities(logits):
    network = untrained()
    made, assumed = with_probabilities(network, logits)
    z = network(X, engine="numpy")
    np.testing.assert_allclose(
        made.predict_proba(X, engine="numpy"), np.exp(z) / np.exp(z).sum(axis=1, keepdims=True), rtol=1e-5
    )
    np.testing.assert_array_equal(made.predict(X, engine="numpy"), z.argmax(axis=1))
    assert assumed.startswith("taken as logits")
    assert network.architecture.layers[-1].activation == "identity"


@pytest.mark.parametrize(
    "network",
    [
        Network([3, 10], seed=0),
        Network([3, Dense(3, "identity")], loss="squared_error", seed=0),
        Network([3, 1], loss="squared_error", seed=0),
    ],
)
def test_other_outputs_are_not_assumed_to_be_logits(network):
    assert with_probabilities(network, None) == (network, "")
    assert with_probabilities(network, False) == (network, "")


def test_outputs_that_were_trained_on_labels_are_no_logits_unless_told():
    network = Network([3, Dense(10, "identity")], loss="squared_error", seed=0)
    network.fit(X, Y, epochs=1, engine="numpy", verbose=0)
    assert with_probabilities(network, None) == (network, "")
    made, _ = with_probabilities(network, True)
    np.testing.assert_array_equal(made.predict(X, engine="numpy"), network.predict(X, engine="numpy"))


# On the command line


@pytest.fixture
def theirs(drawings):  # noqa: F811
    """A network of MNIST's size in another program's file, that ends in logits and wants pixels from 0 to 1."""
    onnx = pytest.importorskip("onnx", reason="needs the extra onnx")
    from tests.formats.onnx_graphs import model

    W = np.random.default_rng(0).normal(size=(784, 10)).astype(np.float32)
    nodes = [("MatMul", ["x", "W"], "z", {}), ("Add", ["z", "b"], "y", {})]
    made = model(nodes, {"W": W, "b": np.arange(10, dtype=np.float32)}, shape=("n", 784))
    onnx.save(made, "theirs.onnx", save_as_external_data=True, location="theirs.onnx.data", size_threshold=0)
    return W


def test_predict_answers_for_logits_and_says_what_it_assumed(theirs):
    from fastmlp.images import as_digit

    z = as_digit("thin.png").reshape(1, -1) / 255 @ theirs + np.arange(10)
    output = run("predict", "theirs.onnx", "thin.png", *NUMPY).stdout
    assert f"thin.png: {z.argmax()}" in output
    assert re.search(r"^pixels +taken as 0\.\.1, since the file does not say; --pixels", output, re.MULTILINE)
    assert re.search(r"^outputs +taken as logits", output, re.MULTILINE)
    assert f"{(np.exp(z - z.max()) / np.exp(z - z.max()).sum()).max():.1%}" in output


def test_predict_shows_outputs_that_are_no_probabilities(theirs):
    lines = run("predict", "theirs.onnx", "thin.png", "--no-logits", "--pixels", "-1..1", *NUMPY).stdout.splitlines()
    assert "taken as -1..1, as specified" in lines[0]
    shown = np.array([float(line.split()[1]) for line in lines[-10:]])
    assert f"thin.png: {shown.argmax()}" in lines
    assert (shown < 0).any()


def test_predict_answers_for_one_number(drawings):  # noqa: F811
    Network([784, 1], loss="squared_error", seed=0).save("regression.npz")
    assert re.search(
        r"^thin.png: -?[\d.e-]+$", run("predict", "regression.npz", "thin.png", *NUMPY).stdout, re.MULTILINE
    )


def test_evaluate_says_what_it_assumed_and_lets_one_choose(place):  # noqa: F811
    network = Network([36, Dense(10, "identity")], loss="squared_error", scaling=None, seed=0)
    W = np.zeros((36, 10))
    W[np.arange(10), np.arange(10)] = 1.0
    network.set_weights([(W, np.full(10, -0.5))])
    network.save("theirs.npz")
    output = run("evaluate", "theirs.npz", "--data", "data", *NUMPY).stdout
    assert re.search(r"^pixels +taken as 0\.\.1, since", output, re.MULTILINE)
    assert re.search(r"^outputs +taken as logits", output, re.MULTILINE)
    assert "100.00%" in output
    inverted = run("evaluate", "theirs.npz", "--data", "data", "--pixels", "1..0", *NUMPY).stdout
    assert "accuracy  0.00%" in inverted


def test_networks_of_nielsens_book_are_evaluated(place):  # noqa: F811
    W = np.zeros((10, 36))
    W[np.arange(10), np.arange(10)] = 9.0
    content = {"sizes": [36, 10], "weights": [W.tolist()], "biases": [[[-4.0]] * 10], "cost": "QuadraticCost"}
    (place / "network.json").write_text(json.dumps(content))
    assert "accuracy  100.00%" in run("evaluate", "network.json", "--data", "data", *NUMPY).stdout
