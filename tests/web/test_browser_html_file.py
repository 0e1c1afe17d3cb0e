"""A saved page in a real browser, opened from disk: it answers as the library does."""

import numpy as np
import pytest

from fastmlp import Network, load_mnist
from fastmlp.images import as_digit
from fastmlp.recipes.changes import HIDDEN_ACTIVATIONS

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a network's page from disk, and afterwards checks that it ran without errors and asked nobody."""
    contexts, troubles = [], []

    def open_it(net, **options):
        path = tmp_path / "mine.html"
        net.save(path, **options)
        context = browser.new_context(viewport={"width": 360, "height": 800})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda message: troubles.append(message.text))
        page.on("request", lambda request: None if request.url.startswith("file:") else troubles.append(request.url))
        page.goto(path.as_uri())
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert not [trouble for trouble in troubles if not trouble.startswith("data:")]


def outputs(page, X):
    return np.array(page.evaluate("X => X.map((x) => [...fastmlp.forward(x).at(-1)])", X.tolist()))


def test_answers_to_test_digits_are_the_librarys(opened, network):
    X = load_mnist().X_test[:1000]
    page = opened(network)
    np.testing.assert_allclose(outputs(page, X), network(X), atol=1e-5)
    labels = page.evaluate("X => X.map((x) => fastmlp.answer(x))", X.tolist())
    assert labels == [str(label) for label in network.predict(X)]


def test_sixteen_bits_change_hardly_an_answer(opened, network):
    X = load_mnist().X_test[:1000]
    labels = opened(network, float16=True).evaluate("X => X.map((x) => fastmlp.answer(x))", X.tolist())
    assert np.mean(np.array(labels) == network.predict(X).astype(str)) > 0.995


@pytest.mark.parametrize("hidden", HIDDEN_ACTIVATIONS)
@pytest.mark.parametrize("output, loss", [("softmax", "cross_entropy"), ("sigmoid", "squared_error")])
def test_every_activation_is_the_librarys(opened, hidden, output, loss):
    net = Network([5, 7, 3], hidden=hidden, output=output, loss=loss, dtype="float64", seed=1)
    X = np.random.default_rng(0).normal(size=(50, 5)) * 4
    np.testing.assert_allclose(outputs(opened(net), X), net(X), atol=1e-9)


def test_every_scaling_is_the_librarys(opened):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 4)) * [1, 10, 100, 1000] + 50, rng.integers(0, 2, 60)
    net = Network([4, 6, 2], scaling="standardize", seed=0)
    net.fit(X, y, epochs=3, engine="numpy", verbose=0)
    np.testing.assert_allclose(outputs(opened(net), X), net(X), atol=1e-5)


def draw(page, points):
    box = page.locator("#pad").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def pixels(page, selector):
    return np.array(
        page.evaluate(
            """selector => {
                const canvas = document.querySelector(selector);
                const { width, height } = canvas;
                const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
                const row = (_, y) => Array.from({ length: width }, (_, x) => data[4 * (y * width + x)]);
                return Array.from({ length: height }, row);
            }""",
            selector,
        ),
        dtype=np.uint8,
    )


@pytest.mark.parametrize(
    "points",
    [
        [(0.5, 0.15), (0.5, 0.85)],
        [(0.3, 0.2), (0.7, 0.2), (0.45, 0.85)],
        [(0.35, 0.2), (0.65, 0.2), (0.5, 0.45), (0.65, 0.6), (0.6, 0.8), (0.35, 0.8)],
        [(0.1, 0.6), (0.2, 0.55), (0.25, 0.7), (0.1, 0.6)],
    ],
)
def test_a_drawing_is_centred_as_the_library_does(opened, network, points):
    page = opened(network)
    draw(page, points)
    expected = as_digit(pixels(page, "#pad"))
    np.testing.assert_allclose(pixels(page, "#seen").astype(int), expected.astype(int), atol=2)
    answer = page.locator("#answer").text_content()
    assert answer == str(network.predict(expected.reshape(1, 784))[0])


def test_a_cleared_drawing_has_no_answer(opened, network):
    page = opened(network)
    draw(page, [(0.5, 0.2), (0.5, 0.8)])
    page.get_by_role("button", name="Clear").click()
    assert page.locator("#answer").text_content() == "Draw a digit."


def test_fields_are_answered(opened):
    net = Network([2, 2], seed=0)
    net.fit([[0.0, 1.0], [1.0, 0.0]], ["no", "yes"], epochs=200, engine="numpy", verbose=0)
    page = opened(net)
    page.get_by_label("Input 1").fill("1")
    assert page.locator("#answer").text_content() == str(net.predict([[1.0, 0.0]])[0])


def test_nothing_sticks_out(opened, network):
    assert opened(network).evaluate("document.documentElement.scrollWidth") <= 360
