"""A network as a page: safe, small, complete, and refused where it can't be one."""

import base64
import hashlib
import json
import re

import numpy as np
import pytest

from fastmlp import Network, load
from fastmlp.errors import ArgumentError


def saved(net, tmp_path, **options):
    path = tmp_path / "mine.html"
    net.save(path, **options)
    return path.read_text("utf-8")


def content(text):
    return json.loads(re.search(r'id="network">(.*?)</script>', text, re.S)[1])


@pytest.fixture
def digits():
    return Network([784, 6, 10], seed=0)


def test_weights_are_in_it(digits, tmp_path):
    first = content(saved(digits, tmp_path))["layers"][0]["W"]
    stored = np.frombuffer(base64.b64decode(first["data"]), "<f4").reshape(784, 6)
    np.testing.assert_array_equal(stored, digits.weights[0][0])


def test_sixteen_bits_are_half_the_file(digits, tmp_path):
    whole, half = saved(digits, tmp_path), saved(digits, tmp_path, float16=True)
    numbers = digits.n_parameters * 4 / 3
    assert len(whole) - len(half) == pytest.approx(2 * numbers, rel=0.01)


def test_it_is_small_but_for_its_weights(digits, tmp_path):
    assert len(saved(digits, tmp_path)) < 100_000 + digits.n_parameters * 4 * 4 / 3


@pytest.mark.parametrize("kind, element", [("script", "script"), ("style", "style")])
def test_only_its_own_script_and_style_may_run(digits, tmp_path, kind, element):
    text = saved(digits, tmp_path)
    inside = re.search(rf"<{element}>(.*?)</{element}>", text, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'")
    assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_labels_can_end_nothing(tmp_path):
    evil = ["</script><script>alert(1)</script>", "<!--"]
    net = Network([2, 2], seed=0)
    net.fit([[0.0, 1.0], [1.0, 0.0]], evil, epochs=1, engine="numpy", verbose=0)
    text = saved(net, tmp_path)
    assert "alert(1)<" not in text and "<!--" not in text
    assert sorted(content(text)["labels"]) == sorted(evil)


def test_a_name_can_end_nothing(digits, tmp_path):
    path = tmp_path / "<b>&.html"
    digits.save(path)
    assert "<title>&lt;b&gt;&amp;</title>" in path.read_text("utf-8")


def test_it_asks_nobody(digits, tmp_path):
    assert not re.search(r"https?://|//[a-z]", re.sub(r"//.*", "", saved(digits, tmp_path)))


@pytest.mark.parametrize("inputs", [51, 783])
def test_networks_of_too_many_inputs_are_refused(inputs, tmp_path):
    with pytest.raises(ArgumentError, match=f"this one has {inputs}; save it as"):
        Network([inputs, 2]).save(tmp_path / "mine.html")


def test_weights_too_large_for_sixteen_bits_are_refused(digits, tmp_path):
    digits.set_weights([(np.full_like(W, 1e5), b) for W, b in digits.weights])
    with pytest.raises(ArgumentError, match="too large for 16 bits"):
        digits.save(tmp_path / "mine.html", float16=True)


def test_weights_that_are_not_finite_are_refused(digits, tmp_path):
    digits.state.parameters[0] = np.nan
    with pytest.raises(ArgumentError, match="not finite"):
        digits.save(tmp_path / "mine.html")


def test_sixteen_bits_are_for_pages(digits, tmp_path):
    with pytest.raises(ArgumentError, match=r"float16 is for \.html files"):
        digits.save(tmp_path / "mine.npz", float16=True)


def test_a_page_is_not_loaded(digits, tmp_path):
    digits.save(tmp_path / "mine.html")
    with pytest.raises(ArgumentError, match="suffix"):
        load(tmp_path / "mine.html")
