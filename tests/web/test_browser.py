"""The page in a real browser: drawn on, trained with, shared, and used by keyboard alone."""

import math
import re

import pytest

from .asking import a_one, png

pytestmark = pytest.mark.browser


@pytest.fixture(params=[1280, 360], ids=["wide", "narrow"])
def width(request):
    return request.param


@pytest.fixture
def open_page(browser, served):
    """Opens the page, and afterwards checks that it ran without errors and asked nobody else."""
    contexts, troubles = [], []

    def opened(end="", **options):
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
        page.on(
            "request",
            lambda request: None if request.url.startswith((served, "blob:")) else troubles.append(request.url),
        )
        page.goto(served + end)
        page.wait_for_selector("body[data-ready=yes]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not troubles


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
    page.get_by_role("button", name="Undo").click()
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


def test_a_network_is_saved_and_loaded(open_page, tmp_path):
    page = open_page("#train")
    page.locator("#network").select_option("1")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save").click()
    assert download.value.suggested_filename == "small.npz"
    download.value.save_as(tmp_path / "again.npz")
    page.locator("#network-file").set_input_files(tmp_path / "again.npz")
    page.wait_for_function(
        "() => document.querySelector('#network option:checked').textContent.startsWith('again.npz')"
    )


def test_a_shared_link_carries_the_settings(open_page):
    page = open_page()
    set_up(page)
    field(page, "Activation", "combobox").select_option("tanh")
    shared = page.url
    assert "#train?recipe=numpy-tutorial&hidden=12&activation=tanh&" in shared
    other = open_page(shared[shared.index("#") :])
    assert field(other, "Hidden layers", "textbox").input_value() == "12"
    assert field(other, "Activation", "combobox").input_value() == "tanh"
    assert other.get_by_role("tab", name="Train").get_attribute("aria-selected") == "true"


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


@pytest.mark.parametrize("end", ["#draw", "#train"])
def test_nothing_sticks_out(open_page, width, end):
    page = open_page(end)
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("end", ["#draw", "#train"])
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
