from pathlib import Path

import pytest

from benchmarks import pictures
from fastmlp import Network

ROOT = Path(__file__).resolve().parents[2]


def test_every_kind_is_drawn_light_and_dark(tmp_path):
    network = Network([36, 4, 3], seed=0)
    network.history.append(epoch=1, loss=1.0)
    names = sorted(file.name for file in pictures.draw(network, tmp_path))
    assert names == ["history-dark.png", "history-light.png", "weights-dark.png", "weights-light.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


@pytest.mark.parametrize("kind", pictures.KINDS)
@pytest.mark.parametrize("theme", pictures.THEMES)
def test_the_page_of_benchmarks_shows_each_and_none_is_too_large(kind, theme):
    name = f"benchmarks/results/{kind}-{theme}.png"
    assert f"{{image}} ../{name}\n" in (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")
    assert (ROOT / name).stat().st_size <= pictures.MOST_BYTES
