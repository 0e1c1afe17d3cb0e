"""The Compare tab in a real browser."""

import pytest

pytestmark = pytest.mark.browser


def train_small(page, rows="500"):
    """Train a small network on the Train tab, to the end."""
    page.get_by_role("tab", name="Train").click()
    page.get_by_role("combobox", name="Recipe").select_option("numpy-tutorial")
    page.get_by_role("textbox", name="Hidden layers").fill("8")
    page.get_by_role("spinbutton", name="Epochs").fill("3")
    page.get_by_role("spinbutton", name="Training rows").fill(rows)
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_function("() => document.getElementById('training-state').textContent.startsWith('Done')")


def test_two_networks_stand_in_one_chart_with_what_differs(open_page):
    page = open_page()
    train_small(page, "500")
    train_small(page, "900")
    page.get_by_role("tab", name="Compare").click()
    page.locator("#runs-curve").select_option("accuracy")
    page.wait_for_function("() => document.querySelectorAll('#runs-chart path').length >= 2")
    assert "rows" in page.locator("#differences").text_content()


def test_a_network_is_taken_out_of_the_chart(open_page):
    page = open_page()
    train_small(page)
    page.get_by_role("tab", name="Compare").click()
    page.locator("#runs-curve").select_option("accuracy")
    lines = page.locator("#runs-chart path")
    page.wait_for_function("() => document.querySelectorAll('#runs-chart path').length >= 1")
    before = lines.count()
    last = page.locator("#runs input:checked").last.get_attribute("data-run")
    page.locator(f"#runs input[data-run='{last}']").uncheck()
    assert lines.count() == before - 1


def test_a_sweep_fills_its_grid_and_its_best_network_is_kept(open_page):
    page = open_page()
    page.get_by_role("tab", name="Train").click()
    page.get_by_role("combobox", name="Recipe").select_option("numpy-tutorial")
    page.get_by_role("spinbutton", name="Epochs").fill("2")
    page.get_by_role("tab", name="Compare").click()
    form = page.locator("#sweep-form")
    form.locator("[name=first]").select_option("hidden")
    form.locator("[name=first_values]").fill("4, 8-4")
    form.locator("[name=second]").select_option("learning_rate")
    form.locator("[name=second_values]").fill("0.001, 0.01")
    form.locator("[name=seeds]").fill("2")
    page.get_by_role("button", name="Train all").click()
    page.wait_for_function("() => document.getElementById('sweep-state').textContent.startsWith('Done')")
    assert page.locator("#sweep-grid td svg path").count() == 8
    assert page.locator("#sweep-grid tbody th").all_text_contents() == ["4", "8-4"]
    page.get_by_role("button", name="Keep the best").first.click()
    page.wait_for_function("() => /hidden 4/.test(document.getElementById('network').selectedOptions[0].textContent)")


def test_values_that_are_refused_are_told(browser, served):
    page = browser.new_page()
    page.goto(f"{served}#compare")
    page.wait_for_selector("body[data-ready=yes]")
    page.locator("#sweep-form [name=first_values]").fill("-1")
    page.get_by_role("button", name="Train all").click()
    page.wait_for_function("() => /learning_rate/.test(document.getElementById('notice-text').textContent)")
    page.close()


def test_few_rows_overfit_and_the_gap_is_shaded(open_page):
    page = open_page("#train")
    page.get_by_role("combobox", name="Recipe").select_option("keras")
    page.get_by_role("button", name="Use 1,000 rows").click()
    assert page.get_by_role("spinbutton", name="Training rows").input_value() == "1000"
    page.get_by_role("spinbutton", name="Epochs").fill("2")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_function("() => document.querySelector('#accuracy-curve .gap') !== null")


def test_a_setting_is_explained_where_it_stands(open_page):
    page = open_page("#train")
    button = page.get_by_role("button", name="What is dropout?")
    button.click()
    assert button.get_attribute("aria-expanded") == "true"
    assert page.locator("#what-dropout").is_visible()


def test_a_network_is_renamed_and_deleted(open_page):
    page = open_page()
    train_small(page)
    page.get_by_role("button", name="Rename…").click()
    page.get_by_role("textbox", name="Name").fill("mine")
    page.get_by_role("button", name="Rename", exact=True).click()
    page.wait_for_function("() => document.getElementById('network').selectedOptions[0].textContent.startsWith('mine')")
    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.wait_for_function("() => ![...document.getElementById('network').options].some((o) => /^mine/.test(o.text))")
    assert page.locator("#notice").is_hidden()
