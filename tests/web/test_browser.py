"""The page in a real browser: drawn on, trained with, shared, and used by keyboard alone."""

import math
import re

import numpy as np
import pytest

from fastmlp import Network
from fastmlp.web import limits

from .asking import a_one, choose_network, png

pytestmark = pytest.mark.browser


def stroke(page, points):
    """Draw with the mouse; points are shares of the drawing area."""
    box = page.locator("#pad").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place)
    page.mouse.up()


def circle(steps=24):
    angles = [2 * math.pi * step / steps for step in range(steps + 1)]
    return [(0.5 + 0.22 * math.sin(angle), 0.5 - 0.33 * math.cos(angle)) for angle in angles]


def answer(page, expected):
    page.wait_for_function("wanted => document.getElementById('answer').textContent === wanted", arg=expected)


def test_strokes_are_answered(open_page):
    page = open_page()
    stroke(page, [(0.5, 0.15), (0.5, 0.5), (0.5, 0.85)])
    answer(page, "1")
    page.get_by_role("button", name="Clear").click()
    answer(page, "?")
    stroke(page, circle())
    answer(page, "0")


def test_the_answer_follows_the_pen_before_it_is_lifted(open_page):
    page = open_page()
    box = page.locator("#pad").bounding_box()
    page.mouse.move(box["x"] + 150, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 280, steps=8)
    answer(page, "1")
    assert page.locator("#timing").text_content() == ""


def test_a_finger_draws(open_page):
    page = open_page(has_touch=True)
    page.evaluate(
        """() => {
            const pad = document.getElementById("pad"), box = pad.getBoundingClientRect();
            pad.setPointerCapture = () => {};  // of a made-up finger there is none
            const clientX = box.left + box.width / 2;
            const at = (kind, y) => pad.dispatchEvent(new PointerEvent(kind, {
                pointerId: 7, pointerType: "touch", bubbles: true, clientX, clientY: box.top + y * box.height}));
            at("pointerdown", 0.15);
            for (let y = 0.2; y < 0.85; y += 0.05) at("pointermove", y);
            at("pointerup", 0.85);
        }"""
    )
    answer(page, "1")
    assert page.locator("#pad").evaluate("pad => getComputedStyle(pad).touchAction") == "none"


def test_a_stroke_can_be_undone(open_page):
    page = open_page()
    stroke(page, [(0.5, 0.15), (0.5, 0.85)])
    answer(page, "1")
    page.get_by_role("button", name="Undo", exact=True).click()
    answer(page, "?")


def test_everything_seen_is_shown(open_page):
    page = open_page()
    stroke(page, circle())
    page.wait_for_function("() => / ms/.test(document.getElementById('timing').textContent)")
    assert page.locator("#outputs li").count() == 10
    assert page.locator("#outputs li.first .name").text_content() == "0"
    assert page.locator("#layers canvas").count() == 2
    painted = "canvas => canvas.getContext('2d').getImageData(0, 0, 28, 28).data.some((value) => value > 0)"
    assert page.locator("#seen").evaluate(painted)


def test_a_network_that_changes_while_one_draws_answers_in_the_end(open_page):
    page = open_page()
    train_for_long(page)
    page.get_by_role("tab", name="Draw").click()
    stroke(page, [(0.5, 0.15), (0.5, 0.85)])
    page.wait_for_function("() => / ms/.test(document.getElementById('timing').textContent)")
    answer(page, "1")
    page.get_by_role("tab", name="Train").click()
    page.get_by_role("button", name="Stop").click()


def test_pointing_at_a_neuron_shows_its_weights(open_page):
    page = open_page()
    page.locator("#layers canvas").first.hover(position={"x": 27, "y": 9})
    page.wait_for_function("() => document.getElementById('neuron-text').textContent.startsWith('Neuron 2 of')")


def test_the_wrong_ones_can_be_chosen(open_page):
    page = open_page()
    page.get_by_label("Only wrong ones").check()
    wrong = page.get_by_role("button", name=re.compile("taken for"))
    wrong.first.wait_for()
    page.wait_for_function("() => !document.querySelector('#digits button:not(:has(.wrong))')")
    wrong.first.click()
    page.wait_for_function("() => document.getElementById('sentence').textContent.includes('Wrong: it is')")


def in_sight(page, selector):
    """Wait until all of an element is within the window."""
    page.wait_for_function(
        """wanted => {
            const { top, bottom, height } = document.querySelector(wanted).getBoundingClientRect();
            return height > 0 && top >= 0 && bottom <= innerHeight;
        }""",
        arg=selector,
    )


@pytest.mark.parametrize("digit", ["first", "last"])
def test_the_answer_to_a_test_digit_is_in_sight(open_page, width, digit):
    page = open_page()
    page.set_viewport_size({"width": width, "height": 700})
    getattr(page.locator("#digits button"), digit).click()
    page.wait_for_function("() => document.getElementById('digit-sentence').textContent.length > 10")
    assert page.locator("#digit-sentence").text_content() == page.locator("#sentence").text_content()
    in_sight(page, "#digit-sentence")
    in_sight(page, "#digits [aria-pressed=true]")
    page.get_by_role("button", name="See it above").click()
    in_sight(page, "#sentence")


def test_a_training_that_is_started_is_in_sight(open_page, width):
    page = open_page("#train")
    page.set_viewport_size({"width": width, "height": 700})
    set_up(page)
    page.get_by_role("button", name="Train", exact=True).click()
    in_sight(page, "#training-state")


def test_an_image_file_is_answered(open_page):
    page = open_page()
    page.locator("#image-file").set_input_files(
        {"name": "one.png", "mimeType": "image/png", "buffer": png(255 - a_one())}
    )
    answer(page, "1")


def test_what_is_no_image_is_told(browser, served):
    page = browser.new_page()
    page.goto(served)
    page.wait_for_selector("body[data-ready=yes]")
    page.locator("#image-file").set_input_files({"name": "one.png", "mimeType": "image/png", "buffer": b"nothing"})
    page.get_by_role("alert").wait_for()
    page.close()


def test_the_answer_to_what_was_there_before_does_not_stay(browser, served):
    page = browser.new_page()
    page.goto(served)
    page.wait_for_selector("body[data-ready=yes]")
    choose_network(page, "1")
    page.locator("#image-file").set_input_files(
        {"name": "one.png", "mimeType": "image/png", "buffer": png(255 - a_one())}
    )
    answer(page, "1")
    page.locator("#image-file").set_input_files({"name": "two.png", "mimeType": "image/png", "buffer": b"nothing"})
    answer(page, "?")
    page.close()


def field(page, name, role="spinbutton"):
    """A field of the form of settings."""
    return page.locator("#settings").get_by_role(role, name=name)


def set_up(page):
    page.get_by_role("tab", name="Train").click()
    field(page, "Recipe", "combobox").select_option("numpy-tutorial")
    field(page, "Hidden layers", "textbox").fill("12")
    field(page, "Batch").fill("20")
    field(page, "Epochs").fill("4")


def train_for_long(page):
    """Start a training that is not over before somebody stops it: a thousand epochs of 60,000 images."""
    page.get_by_role("tab", name="Train").click()
    field(page, "Recipe", "combobox").select_option("from-scratch")
    field(page, "Hidden layers", "textbox").fill("12")
    field(page, "Batch").fill("50")
    field(page, "Epochs").fill("1000")
    page.get_by_role("button", name="Train", exact=True).click()


def test_a_network_is_trained_to_the_end(open_page):
    page = open_page()
    set_up(page)
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_function("() => document.getElementById('training-state').textContent.startsWith('Done.')")
    assert page.locator("#epoch").text_content() == "4 / 4"
    page.wait_for_function("() => /%/.test(document.querySelector('#network option:checked').textContent)")
    assert page.locator("#accuracy-curve path").count() == 1
    assert page.locator("#weights canvas").count() == 12
    assert page.locator("#network option:checked").text_content().startswith("numpy-tutorial 784-12-10 (")


def test_a_training_is_paused_goes_on_and_is_stopped(open_page):
    page = open_page()
    train_for_long(page)
    state = "words => document.getElementById('training-state').textContent.startsWith(words)"
    page.get_by_role("button", name="Pause").click()
    page.wait_for_function(state, arg="Paused.")
    page.get_by_role("button", name="Go on").click()
    page.wait_for_function(state, arg="Training.")
    page.get_by_role("button", name="Stop").click()
    page.wait_for_function(state, arg="Stopped;")


def load_network(page, network, path):
    """Save a network, and load it into the page; it is the one that is looked at."""
    network.save(path)
    page.locator("#network-file").set_input_files(path)
    page.wait_for_function(
        "wanted => document.querySelector('#network option:checked').textContent.startsWith(wanted)", arg=path.name
    )


def constant(*outputs, activation="sigmoid"):
    """A network that gives these outputs, whatever it sees."""
    values = np.array(outputs)
    if activation == "sigmoid":
        values = np.log(values / (1 - values))
    net = Network([784, 10], output=activation, loss="squared_error")
    net.set_weights([(np.zeros((784, 10)), values)])
    return net


@pytest.mark.parametrize(
    ("outputs", "activation", "words", "shown"),
    [
        ([0.02] * 3 + [0.067] + [0.01] * 6, "sigmoid", "No output reaches 0.5: the largest, for 3, is 0.067.", "0.067"),
        ([0.01] * 3 + [0.97] + [0.01] * 6, "sigmoid", "This is a 3 (output 0.970).", "0.970"),
        ([0.01] * 8 + [0.6] + [0.01], "sigmoid", "Probably an 8 (output 0.600).", "0.600"),
        ([0.01] * 3 + [0.97] + [0.9] + [0.01] * 5, "sigmoid", "Probably a 3 (output 0.970), or a 4 (0.900).", "0.970"),
        (
            [-2.0] * 3 + [1.25] + [0.5] + [0.0] * 5,
            "identity",
            "The largest output is that of 3 (1.250), the next that of 4 (0.500).",
            "1.250",
        ),
    ],
)
def test_outputs_that_are_no_probabilities_are_shown_as_they_are(
    open_page, tmp_path, outputs, activation, words, shown
):
    page = open_page()
    load_network(page, constant(*outputs, activation=activation), tmp_path / "constant.npz")
    stroke(page, circle())
    page.wait_for_function("wanted => document.getElementById('sentence').textContent === wanted", arg=words)
    assert page.locator("#outputs li.first .share").text_content() == shown
    assert "%" not in page.locator("#outputs").text_content()


def neuron_says(page, words):
    page.wait_for_function("wanted => document.getElementById('neuron-text').textContent.startsWith(wanted)", arg=words)


def test_an_output_goes_by_its_digit(open_page):
    page = open_page()
    outputs = page.get_by_role("slider", name="Outputs")
    outputs.focus()
    neuron_says(page, "Output for 0")
    page.keyboard.press("End")
    neuron_says(page, "Output for 9")
    assert outputs.get_attribute("aria-valuenow") == "9"
    assert outputs.get_attribute("aria-valuetext").startswith("output for 9")


def painted(page, selector):
    return page.locator(selector).evaluate("canvas => canvas.toDataURL()")


def test_the_neuron_shown_is_one_of_the_network_that_is_chosen(open_page, tmp_path):
    page = open_page()
    load_network(page, Network([784, 24, 10], seed=1), tmp_path / "other.npz")
    page.get_by_role("slider", name="Neurons of hidden layer 1").focus()
    neuron_says(page, "Neuron 1 of")
    other = painted(page, "#neuron-weights")
    choose_network(page, "1")
    page.wait_for_function("before => document.getElementById('neuron-weights').toDataURL() !== before", arg=other)
    load_network(page, constant(*[0.1] * 10), tmp_path / "constant.npz")
    neuron_says(page, "Point at a neuron")  # it has no hidden layer


def test_the_output_shown_is_the_same_one_of_a_network_with_more_layers(open_page, tmp_path):
    page = open_page()
    page.get_by_role("slider", name="Outputs").focus()
    page.keyboard.press("End")
    neuron_says(page, "Output for 9")
    load_network(page, Network([784, 5, 5, 10], seed=1), tmp_path / "deeper.npz")
    page.wait_for_function("() => document.getElementById('neuron-text').textContent.includes('Its 5 weights')")
    neuron_says(page, "Output for 9")


def test_a_network_that_made_room_is_told(open_page, tmp_path, served):
    page = open_page()
    load_network(page, constant(*[0.1] * 10), tmp_path / "old.npz")
    old = page.locator("#network").input_value()
    for _ in range(limits.MAX_MODELS):
        page.request.post(f"{served}api/models?name=new.npz", data=(tmp_path / "old.npz").read_bytes())
    page.locator("#network").select_option(old)
    page.get_by_role("alert").filter(has_text="made room").wait_for()
    assert page.locator("#network option:checked").text_content().startswith("new.npz")


def test_the_weights_shown_are_those_of_the_network_that_is_chosen(open_page, tmp_path):
    page = open_page("#train")
    set_up(page)
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_function("() => document.querySelectorAll('#weights canvas').length === 12")
    choose_network(page, "1")
    page.wait_for_function("() => document.querySelectorAll('#weights canvas').length === 24")


def test_a_network_is_saved_and_loaded(open_page, tmp_path):
    page = open_page("#train")
    choose_network(page, "1")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save").click()
    assert download.value.suggested_filename == "small.npz"
    download.value.save_as(tmp_path / "again.npz")
    page.locator("#network-file").set_input_files(tmp_path / "again.npz")
    page.wait_for_function(
        "() => document.querySelector('#network option:checked').textContent.startsWith('again.npz')"
    )


def test_what_is_saved_is_what_is_chosen_though_the_server_is_slow(open_page):
    page = open_page("#train")
    set_up(page)
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_function("() => document.querySelectorAll('#weights canvas').length === 12")
    page.route("**/api/models", lambda route: None)  # never answered
    page.locator("#network").select_option("1")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save").click()
    assert download.value.suggested_filename == "small.npz"


def test_a_shared_link_carries_the_settings(open_page):
    page = open_page()
    set_up(page)
    field(page, "Hidden layers", "textbox").fill("12 5")
    field(page, "Activation", "combobox").select_option("tanh")
    page.wait_for_url("**activation=tanh**")
    shared = page.url
    assert "#train?recipe=numpy-tutorial&hidden=12,5&activation=tanh&" in shared
    other = open_page(shared[shared.index("#") :])
    assert field(other, "Hidden layers", "textbox").input_value() == "12,5"
    assert field(other, "Activation", "combobox").input_value() == "tanh"
    assert other.get_by_role("tab", name="Train").get_attribute("aria-selected") == "true"


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("hidden=a,b", "hidden “a,b” must be whole numbers from 1 to 2048"),
        ("hidden=0", "hidden “0” must be"),
        ("hidden=12,5", ""),
        ("hidden=", ""),
        ("recipe=kears", "recipe “kears” must be one of"),
        ("activation=rleu", "activation “rleu” must be one of identity"),
        ("loss=mse", "loss “mse” must be one of"),
        ("optimizer=", "optimizer “” must be one of"),
        ("dropout=x", "dropout “x” must be a number from 0 to 0.95"),
        ("learning_rate=-1", "learning_rate “-1” must be a number from 0 up"),
        ("batch_size=2.5", "batch_size “2.5” must be a whole number from 1 to 60000"),
        ("epochs=1001", "epochs “1001” must be a whole number from 1 to 1000"),
        ("seed=", "seed “” must be a whole number"),
        ("layers=3", "there is no setting “layers”"),
        ("seed=1&seed=2", "seed is given twice"),
    ],
)
def test_what_is_wrong_with_a_link_is_told(open_page, setting, words):
    page = open_page(f"#train?{setting}")
    notice = page.locator("#notice")
    assert notice.is_visible() == bool(words)
    assert words in notice.text_content()
    assert page.locator("#settings").evaluate("form => form.checkValidity()")
    name, value = setting.split("&")[0].split("=")
    if name != "layers" and "twice" not in words:
        assert (page.locator(f"#settings [name={name}]").input_value() == value) == (not words)


def test_a_link_to_no_tab_is_told(open_page):
    assert "there is no tab “trian”" in open_page("#trian?recipe=keras").locator("#notice").text_content()


def test_settings_that_are_refused_are_told(browser, served):
    page = browser.new_page()
    page.goto(served + "#train?recipe=keras&hidden=2048,2048")
    page.wait_for_selector("body[data-ready=yes]")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("alert").filter(has_text="parameters at most").wait_for()
    page.close()


def press_until(page, key, selector, most=60):
    """Press a key until what the selector names has the focus."""
    for _ in range(most):
        page.keyboard.press(key)
        if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"{key} never reached {selector}")


def test_the_keyboard_alone_looks_at_a_digit_and_a_neuron(open_page):
    page = open_page()
    page.locator("#digits button").first.wait_for()
    press_until(page, "Tab", "#layers canvas")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.getElementById('neuron-text').textContent.startsWith('Neuron 2 of')")
    press_until(page, "Tab", "#digits button")
    page.keyboard.press("Enter")
    answer(page, "7")  # the first of the test digits
    assert "7" in page.locator("#spoken").text_content()


def test_the_keyboard_alone_trains(open_page):
    page = open_page()
    press_until(page, "Tab", "[role=tab]")
    page.keyboard.press("ArrowRight")
    press_until(page, "Tab", "[name=recipe]")
    page.keyboard.type("numpy")
    press_until(page, "Tab", "[name=epochs]")
    page.keyboard.press("Control+a")
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.getElementById('training-state').textContent.startsWith('Done.')")
    assert page.locator("#epoch").text_content() == "2 / 2"


@pytest.mark.parametrize("end", ["#draw", "#train", "#plane", "#compare"])
def test_nothing_sticks_out(open_page, width, end):
    page = open_page(end)
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("end", ["#draw", "#train", "#plane", "#compare"])
def test_every_control_has_a_name(open_page, end):
    page = open_page(end)
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, canvas[tabindex], [role=img]")]
            .filter((element) => !element.getAttribute("aria-label") && !element.labels?.length)
            .filter((element) => !element.textContent.trim())
            .map((element) => element.outerHTML)"""
    )
    assert unnamed == []


def test_dark_is_dark(open_page):
    background = "() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    assert max(open_page(color_scheme="dark").evaluate(background)) < 60
    assert min(open_page(color_scheme="light").evaluate(background)) > 200
