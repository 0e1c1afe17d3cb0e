"""Slow motion in a real browser."""

import pytest

pytestmark = pytest.mark.browser


def says(page, words):
    page.wait_for_function(
        "words => document.getElementById('training-state').textContent.startsWith(words)", arg=words
    )


def test_a_training_advances_by_batches_tenths_and_epochs(open_page):
    page = open_page("#train")
    page.get_by_role("combobox", name="Recipe").select_option("numpy-tutorial")
    page.get_by_role("spinbutton", name="Batch").fill("50")
    page.get_by_role("spinbutton", name="Epochs").fill("3")
    page.get_by_role("button", name="Train in slow motion").click()
    for name, epoch in [("One batch", "0.05 / 3"), ("A tenth of an epoch", "0.15 / 3"), ("One epoch", "1.15 / 3")]:
        says(page, "Paused")
        page.get_by_role("button", name=name).click()
        page.wait_for_function("epoch => document.getElementById('epoch').textContent === epoch", arg=epoch)
    page.get_by_role("button", name="Go on").click()
    says(page, "Done")
