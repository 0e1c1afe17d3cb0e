"""Why a network answers, and what fools it, in a real browser."""

import pytest

from .asking import choose_network
from .test_browser import constant, load_network, stroke

pytestmark = pytest.mark.browser

THREE = [(0.35, 0.2), (0.65, 0.2), (0.5, 0.45), (0.65, 0.6), (0.6, 0.8), (0.35, 0.8)]


def draw(page):
    stroke(page, THREE)
    page.wait_for_function("() => / ms/.test(document.getElementById('timing').textContent)")
    page.wait_for_selector("#why-found", state="visible")


def says(page, words):
    page.wait_for_function("words => document.getElementById('why-words').textContent.includes(words)", arg=words)


def test_the_answer_is_explained(open_page):
    page = open_page()
    draw(page)
    says(page, f"Output for {page.locator('#answer').text_content()}")
    assert page.locator("#why-incoming tbody tr").count() == 13
    assert page.locator("#why-terms").is_visible()


def test_a_neuron_that_is_clicked_is_explained_and_the_answer_again(open_page):
    page = open_page()
    draw(page)
    page.locator("#layers canvas").first.click(position={"x": 40, "y": 8})
    says(page, "Neuron 3 of hidden layer 1")
    assert page.locator("#why-incoming").is_hidden()
    page.get_by_role("button", name="Back to the answer").click()
    says(page, "Output for")


def test_pointing_elsewhere_leaves_the_explanation_of_a_neuron_that_was_clicked(open_page):
    page = open_page()
    draw(page)
    page.locator("#layers canvas").first.click(position={"x": 40, "y": 8})
    says(page, "Neuron 3 of hidden layer 1")
    page.locator("#layers canvas").last.hover(position={"x": 40, "y": 8})
    page.locator("#why-title").hover()
    assert "Neuron 3 of hidden layer 1" in page.locator("#why-words").text_content()
    assert page.locator("#neuron-text").text_content().startswith("Neuron 3 of")


def test_pointing_at_a_neuron_leaves_the_explanation_of_the_answer(open_page):
    page = open_page()
    draw(page)
    says(page, "Output for")
    page.locator("#layers canvas").first.hover(position={"x": 40, "y": 8})
    page.wait_for_function("() => document.getElementById('neuron-text').textContent.startsWith('Neuron 3 of')")
    assert "Output for" in page.locator("#why-words").text_content()


def test_of_a_network_that_was_left_nothing_is_asked(open_page, tmp_path):
    page = open_page()
    draw(page)
    load_network(page, constant(*[0.1] * 10), tmp_path / "constant.npz")
    page.wait_for_load_state("networkidle")
    left = page.locator("#network").input_value()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    choose_network(page, "1")
    page.wait_for_load_state("networkidle")
    assert asked
    assert not [address for address in asked if f"/models/{left}/" in address]


@pytest.mark.parametrize("way", ["the same click", "Escape"])
def test_a_neuron_that_was_clicked_is_let_go(open_page, way):
    page = open_page()
    draw(page)
    neuron = page.locator("#layers canvas").first
    neuron.click(position={"x": 40, "y": 8})
    says(page, "Neuron 3 of hidden layer 1")
    neuron.click(position={"x": 40, "y": 8}) if way == "the same click" else page.keyboard.press("Escape")
    says(page, "Output for")


def test_a_finger_explains_a_neuron(open_page):
    page = open_page(has_touch=True)
    draw(page)
    page.locator("#layers canvas").first.tap(position={"x": 40, "y": 8})
    says(page, "Neuron 3 of hidden layer 1")


def test_the_lines_of_a_chosen_neuron_stand_out(open_page):
    page = open_page()
    draw(page)
    page.locator("#layers canvas").last.click(position={"x": 63, "y": 8})
    page.wait_for_selector("#lines .own", state="attached")
    (listed, products) = page.evaluate(
        """() => [
            document.querySelectorAll("#lines .own").length,
            [...document.querySelectorAll("#why-incoming tbody tr:not(.rest) td:last-child")].map((cell) =>
                Number(cell.textContent.replace("−", "-"))),
        ]"""
    )
    largest = max(map(abs, products))
    assert listed >= sum(abs(product) > 0.1 * largest for product in products)
    page.get_by_role("button", name="Back to the answer").click()
    page.wait_for_selector("#lines:not(:has(.own))", state="attached")


def test_a_network_without_hidden_layers_is_explained(open_page, tmp_path):
    page = open_page()
    load_network(page, constant(*[0.1] * 9, 0.4), tmp_path / "constant.npz")
    draw(page)
    says(page, "No output reaches 0.5")
    assert page.locator("#why-incoming").is_hidden() and page.locator("#why-terms").is_hidden()


def test_the_keyboard_explains_a_neuron(open_page):
    page = open_page()
    draw(page)
    page.locator("#layers canvas").first.focus()
    page.keyboard.press("ArrowRight")
    says(page, "Neuron 2 of hidden layer 1")


def test_lines_follow_the_stroke_and_can_be_left_out(open_page):
    page = open_page()
    draw(page)
    page.wait_for_selector("#lines line", state="attached")
    page.get_by_role("checkbox", name="Lines").uncheck()
    assert page.locator("#lines line").count() == 0


def test_an_inverted_digit_is_seen_inverted(open_page):
    page = open_page()
    draw(page)
    before = page.locator("#seen").evaluate("canvas => canvas.toDataURL()")
    page.get_by_label("Invert").check()
    page.wait_for_function("before => document.getElementById('seen').toDataURL() !== before", arg=before)
    page.get_by_role("button", name="Reset all changes").click()
    page.wait_for_function("before => document.getElementById('seen').toDataURL() === before", arg=before)


def least(page, words):
    page.wait_for_function("words => document.getElementById('least-words').textContent.includes(words)", arg=words)


def test_the_answers_with_and_without_changes_are_told(open_page):
    page = open_page()
    draw(page)
    effect = page.locator("#fool-words")
    assert "Nothing is changed yet" in effect.text_content()
    page.locator("#changes [name=turn]").fill("180")
    page.wait_for_function("() => /^Without these.*With them/.test(document.getElementById('fool-words').textContent)")
    assert f"With them: {page.locator('#answer').text_content()} (" in effect.text_content()


def test_a_change_by_key_is_answered(open_page):
    page = open_page()
    draw(page)
    page.locator("#changes [name=right]").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => /^Without/.test(document.getElementById('fool-words').textContent)")


def test_a_drawing_is_seen_where_it_was_drawn_without_preprocessing(open_page):
    page = open_page()
    stroke(page, [(0.1, 0.1), (0.1, 0.4)])
    page.wait_for_selector("#why-found", state="visible")
    page.get_by_label("No preprocessing").check()
    right_half = (
        "canvas => canvas.getContext('2d').getImageData(14, 0, 14, 28).data.some((value, i) => i % 4 == 3 && value)"
    )
    page.wait_for_function(f"() => !({right_half})(document.getElementById('seen'))")


def test_test_digits_need_no_preprocessing(open_page):
    page = open_page()
    page.locator("#digits button").first.click()
    page.wait_for_selector("#fool-effect", state="visible")
    assert page.get_by_label("No preprocessing").is_disabled()


def test_the_smallest_change_is_shown_and_looked_at(open_page):
    page = open_page()
    draw(page)
    page.get_by_role("button", name="Find it").click()
    least(page, " becomes ")
    before, after = page.locator("#least-words").text_content().split(".")[0].split(" becomes ")
    assert page.locator("#answer").text_content() == before
    page.get_by_role("button", name="Have the network look at it").click()
    page.wait_for_function("wanted => document.getElementById('answer').textContent === wanted", arg=after)


def test_the_digit_of_the_smallest_change_can_be_chosen(open_page):
    page = open_page()
    draw(page)
    target = "8" if page.locator("#answer").text_content() != "8" else "2"
    page.locator("#least-target").select_option(target)
    page.get_by_role("button", name="Find it").click()
    least(page, f" becomes {target}.")
    page.locator("#least-target").select_option(page.locator("#answer").text_content())
    page.get_by_role("button", name="Find it").click()
    least(page, "already")
    assert page.locator("#least-pictures").is_hidden()


def test_that_no_smallest_change_was_found_is_told(open_page, tmp_path):
    page = open_page()
    load_network(page, constant(*[0.1] * 9, 0.4), tmp_path / "constant.npz")
    draw(page)
    page.get_by_role("button", name="Find it").click()
    least(page, "None was found")
