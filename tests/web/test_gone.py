"""The page in a real browser when its server is gone, and when a server is back."""

import json

import pytest

from .asking import choose_network
from .conftest import serve_in_process
from .test_browser import answer, circle, stroke, train_for_long

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser):
    """A page that may fail to reach its server."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    yield page
    page.close()


@pytest.fixture
def start(saved):
    """Starts servers, and ends them."""
    processes = []

    def started(port=0):
        process, address = serve_in_process(saved, port)
        processes.append(process)
        return process, address

    yield started
    for process in processes:
        process.kill()
        process.stdout.close()
        process.wait()


def go(page, address):
    page.goto(address)
    page.wait_for_selector("body[data-ready=yes]")
    choose_network(page, "1")


def state_says(page, words):
    page.wait_for_function(
        "words => document.getElementById('training-state').textContent.startsWith(words)", arg=words
    )


def test_a_server_that_ends_while_it_trains_is_missed_and_the_next_one_is_found(page, start):
    process, address = start()
    go(page, address)
    stroke(page, circle())
    answer(page, "0")
    train_for_long(page)
    state_says(page, "Training.")
    process.kill()
    process.wait()
    page.locator("#gone").wait_for()
    state_says(page, "The server does not answer")
    assert page.get_by_role("button", name="Stop").is_disabled()

    start(address.rstrip("/").rsplit(":", 1)[1])
    page.get_by_role("button", name="Try again now").click()
    page.get_by_text("The server was started again").wait_for()
    assert page.locator("#gone").is_hidden()
    assert (
        page.locator("#network option").all_text_contents() == ["small (91.8 %)"]
        or page.locator("#network option").count() == 1
    )
    state_says(page, "small was loaded")
    assert page.locator("#settings [name=hidden]").input_value() == "12"
    page.get_by_role("tab", name="Draw").click()
    answer(page, "0")  # the drawing is still there


def test_a_connection_that_breaks_off_is_made_again(page, served):
    go(page, served)
    page.route("**/api/**", lambda route: route.abort())
    stroke(page, circle())
    page.locator("#gone").wait_for()
    answer(page, "?")
    page.unroute_all(behavior="wait")
    page.locator("#gone").wait_for(state="hidden")
    answer(page, "0")
    assert page.locator("#notice").is_hidden()


def test_a_request_that_got_lost_holds_nothing_up(page, served):
    go(page, served)
    page.route("**/drawing?*", lambda route: None)
    stroke(page, circle())
    page.route("**/models", lambda route: route.abort())
    page.locator("#network").select_option("1")
    page.locator("#gone").wait_for()
    page.unroute("**/models")
    page.unroute("**/drawing?*")
    answer(page, "0")


def test_a_training_whose_events_break_off_is_followed_on(page, served):
    go(page, served)
    page.route("**/events", lambda route: route.abort())
    train_for_long(page)
    page.unroute_all(behavior="wait")
    state_says(page, "Training.")
    page.get_by_role("button", name="Stop").click()
    state_says(page, "Stopped;")


def test_another_server_behind_the_same_address_is_noticed(page, start):
    process, address = start()
    go(page, address)
    process.kill()
    process.wait()
    start(address.rstrip("/").rsplit(":", 1)[1])
    stroke(page, circle())
    page.get_by_text("The server was started again").wait_for()
    answer(page, "0")


def test_a_training_that_may_not_be_watched_says_why(page, served):
    go(page, served)
    headers = {"fastmlp-server": page.request.get(served).headers["fastmlp-server"]}
    body = json.dumps({"error": "24 pages watch trainings already; close some"})
    page.route("**/events", lambda route: route.fulfill(status=429, headers=headers, body=body))
    train_for_long(page)
    state_says(page, "24 pages watch trainings already")
    page.get_by_role("alert").filter(has_text="24 pages").wait_for()
    identity = page.locator("#network").input_value()
    page.request.post(f"{served}api/trainings/{identity}/stop", headers={"origin": served.rstrip("/")})
