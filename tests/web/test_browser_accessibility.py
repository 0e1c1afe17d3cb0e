"""axe-core, which looks for barriers, finds none on any tab, and none on a saved page."""

import pytest

from .test_browser_why import draw

pytestmark = pytest.mark.browser


@pytest.fixture
def barriers():
    """What axe-core finds on a page."""
    pytest.importorskip("axe_playwright_python", reason="needs pip install axe-playwright-python")
    from axe_playwright_python.sync_playwright import Axe

    return lambda page: [one["id"] for one in Axe().run(page).response["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("end", ["#draw", "#train", "#plane", "#compare"])
def test_no_tab_has_a_barrier(open_page, barriers, width, end, scheme):
    page = open_page(end, color_scheme=scheme, bypass_csp=True)
    page.set_viewport_size({"width": width, "height": 900})
    if end == "#draw":
        draw(page)
    page.locator("#glossary summary").click()
    assert barriers(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_saved_page_has_no_barrier(browser, network, barriers, tmp_path, scheme):
    network.save(tmp_path / "mine.html")
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto((tmp_path / "mine.html").as_uri())
    assert barriers(page) == []
    context.close()
