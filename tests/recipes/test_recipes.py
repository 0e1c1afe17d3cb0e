"""The recipes: their numbers, their data, and (marked slow) the accuracy that each must reach."""

from dataclasses import replace

import numpy as np
import pytest

from fastmlp import SGD, Cosine, Network, recipes
from fastmlp.datasets import Dataset, load_mnist
from fastmlp.errors import ArgumentError, ArgumentTypeError, TrainingError
from fastmlp.model.architecture import Dense
from fastmlp.recipes import DEFAULT, RECIPES, Recipe
from fastmlp.recipes.words import optimizer_in_words

PARAMETERS = {
    "nielsen": 784 * 30 + 30 + 30 * 10 + 10,
    "nielsen-cross-entropy": 784 * 100 + 100 + 100 * 10 + 10,
    "numpy-tutorial": 784 * 100 + 100 * 10,
    "raschka": 784 * 50 + 50 + 50 * 10 + 10,
    "from-scratch": 784 * 128 + 128 + 128 * 10 + 10,
    "keras": 784 * 128 + 128 + 128 * 128 + 128 + 128 * 10 + 10,
    "three-blue-one-brown": 13_002,
    "simard": 784 * 800 + 800 + 800 * 10 + 10,
}

ROWS = {
    "nielsen": (50_000, 10_000, 10_000),
    "nielsen-cross-entropy": (50_000, 10_000, 10_000),
    "numpy-tutorial": (1_000, 0, 1_000),
    "raschka": (55_000, 5_000, 10_000),
    "from-scratch": (60_000, 0, 10_000),
    "keras": (48_000, 12_000, 10_000),
    "three-blue-one-brown": (50_000, 10_000, 10_000),
    "simard": (60_000, 0, 10_000),
}

TARGETS = {
    "nielsen": 0.945,
    "nielsen-cross-entropy": 0.976,
    "numpy-tutorial": 0.75,
    "raschka": 0.94,
    "from-scratch": 0.95,
    "keras": 0.973,
    "three-blue-one-brown": 0.94,
    "simard": 0.99,
}

QUICK = {name: recipe for name, recipe in RECIPES.items() if recipe.augment is None}

every_recipe = pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_mnist()


def small(n_train: int, n_test: int = 20, pixels: int = 784) -> Dataset:
    """Rows that can be told apart: each label has a bright patch of its own."""
    generator = np.random.default_rng(0)

    def rows(n: int) -> tuple[np.ndarray, np.ndarray]:
        y = np.arange(n) % 10
        X = generator.integers(0, 40, (n, pixels)).astype(np.uint8)
        X[np.arange(n), y] = 255
        return X, y.astype(np.int64)

    return Dataset(*rows(n_train), *rows(n_test))


def test_names() -> None:
    assert recipes.names() == list(PARAMETERS) == list(ROWS)
    assert DEFAULT in RECIPES
    assert all(recipes.get(name).name == name for name in recipes.names())


@pytest.mark.parametrize(("name", "nearest"), [("kears", "keras"), ("Nielsen", "nielsen"), ("3blue1brown", None)])
def test_unknown_name(name: str, nearest: str | None) -> None:
    with pytest.raises(ArgumentError, match="unknown recipe") as raised:
        recipes.get(name)
    assert nearest is None or f"did you mean {nearest!r}" in str(raised.value)
    assert "three-blue-one-brown" in str(raised.value)


def test_name_of_wrong_type() -> None:
    with pytest.raises(ArgumentError, match="unknown recipe 3"):
        recipes.get(3)  # type: ignore[arg-type]


@every_recipe
def test_description_is_whole(recipe: Recipe) -> None:
    assert recipe.target == TARGETS[recipe.name]
    assert recipe.reported is None or recipe.reported > recipe.target - 0.05
    assert recipe.title
    assert recipe.source.author
    assert recipe.description.endswith(".")
    assert recipe.differences.endswith(".")
    text = recipe.describe(width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert recipe.shape in text
    assert optimizer_in_words(recipe.optimizer) in text


@every_recipe
def test_network(recipe: Recipe) -> None:
    network = recipe.network(seed=3)
    assert network.n_parameters == PARAMETERS[recipe.name]
    assert network.architecture.sizes == recipe.sizes
    assert network.seed == 3
    assert [layer.activation for layer in network.architecture.layers[:-1]] == [recipe.hidden] * (len(recipe.sizes) - 2)
    assert network.architecture.layers[-1].activation == recipe.output
    assert network.architecture.loss == recipe.loss
    assert network.architecture.dtype == np.float32


@every_recipe
def test_same_seed_same_start(recipe: Recipe) -> None:
    first, again, other = (recipe.network(seed).state.parameters for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("name", "layer", "deviation"),
    [
        ("nielsen", 0, 1.0),
        ("nielsen", 1, 1.0),
        ("nielsen-cross-entropy", 0, 784**-0.5),
        ("nielsen-cross-entropy", 1, 100**-0.5),
        ("raschka", 0, 0.1),
        ("numpy-tutorial", 0, 0.1 / 3**0.5),
        ("from-scratch", 0, 0.05 / 3**0.5),
        ("keras", 1, (2 / 256) ** 0.5),
        ("three-blue-one-brown", 0, 784**-0.5),
    ],
)
def test_spread_of_the_first_weights(name: str, layer: int, deviation: float) -> None:
    weights, _ = recipes.get(name).network(dtype="float64").weights[layer]
    assert weights.std() == pytest.approx(deviation, rel=5 / weights.size**0.5)
    assert abs(weights.mean()) < 5 * deviation / weights.size**0.5


@every_recipe
def test_first_biases(recipe: Recipe) -> None:
    biases = [bias for _, bias in recipe.network(dtype="float64").weights]
    if recipe.name == "numpy-tutorial":
        assert biases == [None] * 2
    elif recipe.name.startswith("nielsen"):
        assert biases[0] is not None
        assert 0.5 < biases[0].std() < 1.5
    else:
        assert all(bias is not None and not bias.any() for bias in biases)


@every_recipe
def test_rows_of_mnist(recipe: Recipe, digits: Dataset) -> None:
    data = recipe.data(digits)
    n_train, n_validation, n_test = ROWS[recipe.name]
    assert (len(data.X_train), len(data.y_train), len(data.X_test), len(data.y_test)) == (
        n_train,
        n_train,
        n_test,
        n_test,
    )
    assert np.shares_memory(data.X_train, digits.X_train)
    assert data.X_train[0].tolist() == digits.X_train[0].tolist()
    if n_validation:
        assert data.X_val is not None
        assert data.y_val is not None
        assert np.array_equal(data.X_val, digits.X_train[n_train : n_train + n_validation])
        assert np.array_equal(data.y_val, digits.y_train[n_train : n_train + n_validation])
    else:
        assert data.X_val is None
        assert data.y_val is None


def test_rows_of_another_data_set() -> None:
    def sizes(name: str, n: int) -> tuple[int, int, int]:
        data = recipes.get(name).data(small(n, 7))
        return len(data.X_train), 0 if data.X_val is None else len(data.X_val), len(data.X_test)

    assert sizes("keras", 1_000) == (800, 200, 7)
    assert sizes("keras", 3) == (2, 1, 7)
    assert sizes("raschka", 120) == (110, 10, 7)
    assert sizes("from-scratch", 70) == (70, 0, 7)
    assert sizes("numpy-tutorial", 70) == (70, 0, 7)
    assert sizes("numpy-tutorial", 1_200) == (1_000, 0, 7)


def sorted_by_class(data: Dataset) -> Dataset:
    order, order_of_test = np.argsort(data.y_train, kind="stable"), np.argsort(data.y_test, kind="stable")
    return Dataset(data.X_train[order], data.y_train[order], data.X_test[order_of_test], data.y_test[order_of_test])


@every_recipe
def test_rows_sorted_by_class_are_drawn_by_class(recipe: Recipe) -> None:
    data = recipe.data(sorted_by_class(small(3_000, 1_200)))
    for y in (data.y_train, data.y_test, data.y_train if data.y_val is None else data.y_val):
        counts = np.bincount(y, minlength=10)
        assert counts.max() - counts.min() <= 1
    if not recipe.shuffle:
        assert (np.diff(data.y_train) < 0).any()


@every_recipe
def test_no_row_is_lost_or_taken_twice(recipe: Recipe) -> None:
    whole = sorted_by_class(small(1_000, 20))
    data = recipe.data(whole)
    rows = data.X_train if data.X_val is None else np.concatenate([data.X_train, data.X_val])
    assert sorted(map(bytes, rows)) == sorted(map(bytes, whole.X_train))


def test_the_seed_decides_which_rows_are_drawn() -> None:
    whole, recipe = sorted_by_class(small(500)), recipes.get("keras")
    first, again, other = (recipe.data(whole, seed).X_train for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    runs = [recipe.run(seed, epochs=1, engine="numpy", verbose=0, dataset=whole) for seed in (1, 1)]
    np.testing.assert_array_equal(*(run.network.state.parameters for run in runs))


def test_mnist_from_files_is_cut_as_the_built_in_one(digits: Dataset) -> None:
    copied = Dataset(*(array.copy() for array in digits))
    data = recipes.get("nielsen").data(copied)
    np.testing.assert_array_equal(data.y_val, digits.y_train[50_000:])
    data = recipes.get("nielsen").data(sorted_by_class(digits))
    assert np.bincount(data.y_val).min() > 800


def test_targets_that_are_no_labels_are_drawn_at_random() -> None:
    whole = small(50)
    rows = np.eye(10)[whole.y_train], np.eye(10)[whole.y_test]
    data = recipes.get("keras").data(Dataset(whole.X_train, rows[0], whole.X_test, rows[1]))
    assert data.y_train.shape == (40, 10)


@pytest.mark.parametrize(("name", "n", "least"), [("keras", 1, 2), ("keras", 0, 2), ("from-scratch", 0, 1)])
def test_too_few_rows(name: str, n: int, least: int) -> None:
    with pytest.raises(ArgumentError, match=f"needs at least {least}"):
        recipes.get(name).data(small(n))


def test_resized() -> None:
    recipe = recipes.get("numpy-tutorial")
    assert recipe.resized(hidden=[64, 32]).layers == (784, Dense(64, dropout=0.5), Dense(32, dropout=0.5), 10)
    assert recipe.resized(inputs=64, outputs=26).shape == "64-100-26"
    assert recipe.resized(hidden=[]).shape == "784-10"
    assert recipe.resized().layers == recipe.layers
    assert recipes.get("keras").resized(hidden=[5]).network().n_parameters == 784 * 5 + 5 + 5 * 10 + 10
    for wrong, kind in (([0], ArgumentError), ([1.5], ArgumentTypeError), ("64", ArgumentTypeError)):
        with pytest.raises(kind, match="hidden"):
            recipe.resized(hidden=wrong)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="inputs"):
        recipe.resized(inputs=0)


def test_schedule() -> None:
    recipe = replace(recipes.get("from-scratch"), schedule=Cosine(2))
    assert "SGD(0.01), schedule Cosine(epochs=2, final=0.0), batch 1," in recipe.facts()["training"]
    history = recipe.run(epochs=2, engine="numpy", verbose=0, dataset=small(10)).history
    assert history.learning_rate == pytest.approx(0.01 * (1 + np.cos(np.pi * np.array([0.45, 0.95]))) / 2)


def test_optimizer_in_words() -> None:
    assert optimizer_in_words(SGD(0.005)) == "SGD(0.005)"
    assert optimizer_in_words(SGD(3.0, momentum=0.9, nesterov=True)) == "SGD(3, momentum=0.9, nesterov=True)"
    assert optimizer_in_words(recipes.get("keras").optimizer) == "Adam(0.001, epsilon=1e-07)"


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def one_step(recipe: Recipe, X: np.ndarray, y: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Weights and biases, alternately, before and after one step over these rows in float64."""
    network = recipe.network(dtype="float64")
    before = [part.copy() for pair in network.weights for part in pair if part is not None]
    network.fit(X, y, epochs=1, batch_size=len(X), optimizer=recipe.optimizer, shuffle=False, engine="numpy", verbose=0)
    return before, [part for pair in network.weights for part in pair if part is not None]


def test_step_of_nielsens_network2(digits: Dataset) -> None:
    # w -> (1 - eta lambda/n) w - eta/m sum of gradients, delta = a - y at the output; biases do not shrink.
    X, y = digits.X_train[:10], digits.y_train[:10]
    (W1, b1, W2, b2), after = one_step(recipes.get("nielsen-cross-entropy"), X, y)
    x, wanted, eta, shrink = X / 255.0, np.eye(10)[y], 0.1, 1 - 0.1 * 5.0 / 50_000
    hidden = sigmoid(x @ W1 + b1)
    delta2 = sigmoid(hidden @ W2 + b2) - wanted
    delta1 = delta2 @ W2.T * hidden * (1 - hidden)
    expected = [
        shrink * W1 - eta / 10 * x.T @ delta1,
        b1 - eta / 10 * delta1.sum(axis=0),
        shrink * W2 - eta / 10 * hidden.T @ delta2,
        b2 - eta / 10 * delta2.sum(axis=0),
    ]
    for found, want in zip(after, expected, strict=True):
        np.testing.assert_allclose(found, want, rtol=1e-12, atol=1e-15)


def test_step_of_raschkas_network(digits: Dataset) -> None:
    # His derivative of the loss by an output is 2 (a - y) / n, his learning rate 0.1.
    X, y = digits.X_train[:100], digits.y_train[:100]
    (W1, b1, W2, b2), after = one_step(recipes.get("raschka"), X, y)
    x, wanted = (X / 255.0 - 0.5) * 2, np.eye(10)[y]
    hidden = sigmoid(x @ W1 + b1)
    out = sigmoid(hidden @ W2 + b2)
    delta2 = 2 * (out - wanted) / len(X) * out * (1 - out)
    delta1 = delta2 @ W2.T * hidden * (1 - hidden)
    expected = [
        W1 - 0.1 * x.T @ delta1,
        b1 - 0.1 * delta1.sum(axis=0),
        W2 - 0.1 * hidden.T @ delta2,
        b2 - 0.1 * delta2.sum(axis=0),
    ]
    for found, want in zip(after, expected, strict=True):
        np.testing.assert_allclose(found, want, rtol=1e-11, atol=1e-14)


def test_step_of_the_numpy_tutorial_without_dropout(digits: Dataset) -> None:
    # One image, delta = y - a, weights += 0.005 * outer product; with the derivative of ReLU, which the tutorial lacks.
    recipe = replace(recipes.get("numpy-tutorial"), layers=(784, 100, 10))
    X, y = digits.X_train[:1], digits.y_train[:1]
    (W1, W2), after = one_step(recipe, X, y)
    x, wanted = X[0] / 255.0, np.eye(10)[y[0]]
    z = x @ W1
    hidden = np.maximum(z, 0)
    delta2 = wanted - hidden @ W2
    delta1 = W2 @ delta2 * (z > 0)
    expected = [W1 + 0.005 * np.outer(x, delta1), W2 + 0.005 * np.outer(hidden, delta2)]
    for found, want in zip(after, expected, strict=True):
        np.testing.assert_allclose(found, want, rtol=1e-12, atol=1e-15)


@every_recipe
def test_run_on_few_rows(recipe: Recipe) -> None:
    network, history, evaluation = recipe.run(seed=1, epochs=2, engine="numpy", verbose=0, dataset=small(60))
    assert isinstance(network, Network)
    assert history.epochs == 2
    assert ("val_loss" in history) == bool(recipe.validation_rows)
    assert evaluation.accuracy is not None
    assert np.isfinite(evaluation.loss)


def test_fit_takes_changes() -> None:
    recipe = recipes.get("keras")
    data = recipe.data(small(60))
    network = recipe.network()
    history = recipe.fit(network, data, epochs=1, optimizer=SGD(0.5), batch_size=7, engine="numpy", verbose=0)
    assert history["learning_rate"] == [0.5]
    assert network.state.step == -(-48 // 7)
    with pytest.raises(ArgumentError, match="epochs"):
        recipe.run(epochs=0, dataset=small(60))


def test_diverging_run_keeps_the_recipe_as_it_is() -> None:
    wild = replace(recipes.get("from-scratch"), optimizer=SGD(1e30))
    with pytest.raises(TrainingError, match="diverged"):
        wild.run(engine="numpy", verbose=0, dataset=small(60))
    assert recipes.get("from-scratch").optimizer == SGD(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", QUICK.values(), ids=list(QUICK))
def test_accuracy(recipe: Recipe, digits: Dataset) -> None:
    accuracies = [recipe.run(seed, verbose=0, dataset=digits).evaluation.accuracy or 0.0 for seed in range(3)]
    assert np.mean(accuracies) >= recipe.target, accuracies


@pytest.mark.slow
def test_accuracy_on_distorted_images_in_a_quarter_of_the_epochs(digits: Dataset) -> None:
    # All 80 epochs of three seeds would take six minutes: python -m benchmarks.recipes_table simard.
    assert (recipes.get("simard").run(epochs=20, verbose=0, dataset=digits).evaluation.accuracy or 0.0) >= 0.988
