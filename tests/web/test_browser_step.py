"""One step of learning, in a real browser."""

import pytest

from .test_browser_why import draw

pytestmark = pytest.mark.browser


def text(page, place, words):
    page.wait_for_function(
        "([place, words]) => document.getElementById(place).textContent.includes(words)", arg=[place, words]
    )


def test_a_step_is_taken_and_undone(open_page):
    page = open_page()
    draw(page)
    page.get_by_label("It is meant to be").select_option("5")
    page.get_by_role("button", name="Take the step").click()
    text(page, "step-loss", "Before the last step it was")
    assert page.locator("#step-outputs tbody tr").count() == 10
    page.get_by_role("button", name="Undo the step").click()
    page.wait_for_selector("#step-changes", state="hidden")
    assert page.locator("#step-count").text_content() == ""


def test_a_derivative_is_checked(open_page):
    page = open_page()
    draw(page)
    page.wait_for_selector("#step-incoming button")
    page.locator("#step-incoming button").first.click()
    text(page, "step-derivative", "backpropagation says")


def test_the_weight_of_a_pixel_is_chosen_by_keyboard(open_page):
    page = open_page()
    draw(page)
    page.locator("#layers canvas").first.focus()
    page.wait_for_selector("#step-pictures", state="visible")
    page.locator("#step-weights").focus()
    page.keyboard.press("ArrowDown")
    text(page, "step-derivative", "from pixel (2, 1)")
