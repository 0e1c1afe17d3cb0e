"""Why a network answers, and what fools it, in a real browser."""

import pytest

from .test_browser import stroke

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


def test_the_smallest_change_is_shown(open_page):
    page = open_page()
    draw(page)
    page.get_by_role("button", name="Find it").click()
    page.wait_for_function("() => / becomes /.test(document.getElementById('least-words').textContent)")
    assert page.locator("#least-pictures").is_visible()
