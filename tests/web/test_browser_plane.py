"""The Plane tab in a real browser."""

import pytest

pytestmark = pytest.mark.browser


def epochs(page, least):
    page.wait_for_function(
        "least => Number(document.getElementById('plane-epochs').textContent.replace(',', '')) >= least", arg=least
    )


def legend(page, words):
    page.wait_for_function("words => document.getElementById('plane-legend').textContent.includes(words)", arg=words)


def test_a_boundary_is_learned_and_rewound(open_page):
    page = open_page("#plane")
    legend(page, "250 points")
    before = page.locator("#plane-canvas").evaluate("canvas => canvas.toDataURL()")
    page.locator("#plane-play").click()
    epochs(page, 30)
    page.locator("#plane-play").click()
    page.get_by_role("button", name="Rewind").click()
    page.wait_for_function("before => document.getElementById('plane-canvas').toDataURL() === before", arg=before)
    assert page.locator("#plane-epochs").text_content() == "0"


def test_a_click_adds_a_point_and_the_link_carries_it(open_page):
    page = open_page("#plane?data=xor&n=100")
    legend(page, "50 points")
    page.locator("#plane-canvas").click(position={"x": 100, "y": 100})
    legend(page, "51 points")
    end = page.evaluate("location.hash")
    assert "data=xor" in end and "points=" in end
    other = open_page(end)
    legend(other, "51 points")


def test_the_keyboard_adds_and_removes_a_point(open_page):
    page = open_page("#plane?n=100")
    legend(page, "50 points")
    page.locator("#plane-canvas").focus()
    for key in ("ArrowLeft", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    legend(page, "51 points")
    page.locator("#plane-canvas").focus()
    page.keyboard.press("Delete")
    legend(page, "50 points")


def test_pasted_points_are_learned(open_page):
    page = open_page("#plane")
    page.get_by_text("Paste points of your own").click()
    page.locator("#plane-csv").fill("x,y,kind\n1,2,red\n3,4,blue\n2,2.5,red")
    page.get_by_role("button", name="Use these points").click()
    legend(page, "3 points to train on, 0 to test; 2 classes")


@pytest.mark.parametrize(
    "text, words",
    [("1,2,a\n1,b,c", "Line 2: x and y must be numbers"), ("1,2\n3,4", "Line 1 must have x, y and a label")],
)
def test_what_is_wrong_with_pasted_points_is_told(open_page, text, words):
    page = open_page("#plane")
    page.get_by_text("Paste points of your own").click()
    page.locator("#plane-csv").fill(text)
    page.get_by_role("button", name="Use these points").click()
    assert words in page.locator("#notice-text").text_content()
