"""The landscape: which points the rule gives, and what is made of measurements."""

import numpy as np
import pytest

from benchmarks import landscape
from benchmarks.peers.numpy_engine import Trainer
from benchmarks.points import CENTRES, CHANGES, ENDS, GRID, POINTS, point
from benchmarks.workloads import make_data

SMALL = [chosen for chosen in POINTS.values() if chosen.sizes[0] <= 100 and max(chosen.sizes) <= 256]

BEHIND = (
    ((100, 100, 10), {"batch_size": 200, "hidden": "gelu", "optimizer": "adam"}),
    ((64, 256, 256, 1), {"batch_size": 64, "hidden": "gelu"}),
    ((100, 1024, 1024, 10), {"batch_size": 128, "optimizer": "adam"}),
    ((50, 2048, 2048, 1), {"batch_size": 256, "optimizer": "sgd"}),
    ((8, 16, 3), {"batch_size": 1024}),
    ((20, 32, 1), {"batch_size": 1}),
    ((100, 64, 1000), {}),
    ((8, 256, 256, 3), {"batch_size": 1024}),
    ((64, 256, 256, 3), {"batch_size": 1024}),
    ((300, 1024, 3), {"batch_size": 1024}),
    ((100, 512, 512, 10), {"dtype": "float64"}),
)
"""Networks at which fastmlp has been behind or barely ahead."""


def test_the_rule_gives_sixty_points_and_more():
    assert len(POINTS) == len(GRID) + len(CENTRES) * len(CHANGES) + len(ENDS) >= 60


@pytest.mark.parametrize(("sizes", "fields"), BEHIND, ids=lambda value: str(value))
def test_networks_that_were_once_behind_are_among_them(sizes, fields):
    assert any(
        chosen.sizes == sizes and all(getattr(chosen, name) == value for name, value in fields.items())
        for chosen in POINTS.values()
    )


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("hidden", {"relu", "sigmoid", "tanh", "gelu", "silu"}),
        ("optimizer", {"adam", "sgd", "momentum"}),
        ("dtype", {"float32", "float64"}),
        ("density", {1.0, 0.2, 0.02, 0.01}),
    ],
)
def test_every_dimension_varies(field, values):
    assert {getattr(chosen, field) for chosen in POINTS.values()} == values


def test_epochs_are_whole_batches():
    assert all(chosen.rows % chosen.batch_size == 0 for chosen in POINTS.values())


@pytest.mark.parametrize("chosen", SMALL[::4], ids=lambda chosen: chosen.name)
def test_data_have_the_dtype_the_density_and_the_kind_of_targets_of_the_point(chosen):
    data = make_data(chosen.limited(300))
    assert data.X.dtype == data.Y.dtype == chosen.dtype
    assert np.count_nonzero(data.X) / data.X.size == pytest.approx(chosen.density, rel=0.1)
    assert data.Y.shape == (300, chosen.sizes[-1])
    if chosen.classifies:
        assert (data.Y.argmax(axis=1) == data.given_y).all()
        assert len(np.unique(data.given_y)) == chosen.sizes[-1]
    else:
        assert data.given_y is data.Y


@pytest.mark.parametrize("change", [{"dtype": "float64"}, {"optimizer": "momentum"}, {"density": 0.2}], ids=str)
def test_the_loss_falls(change):
    small = point((8, 16, 3), 10, **change).limited(200)
    trainer, orders = Trainer(small, make_data(small), small.weights(), None), small.orders()
    before = trainer.loss()
    trainer.train([next(orders) for _ in range(5)])
    assert trainer.loss() < before
    assert trainer._network.architecture.dtype == change.get("dtype", "float32")


def test_quick_takes_a_part_of_the_points_with_few_rows():
    chosen = landscape.chosen_points(landscape.parse(["--quick"]))
    assert 10 <= len(chosen) <= 15
    assert all(one.rows <= landscape.QUICK_ROWS for one in chosen)


def test_a_part_of_the_landscape_is_not_written():
    for arguments in (["--quick"], ["--points", "gelu"]):
        with pytest.raises(SystemExit):
            landscape.parse([*arguments, "--write"])


def test_the_table_marks_what_is_below_and_has_no_ratio_where_there_is_no_other():
    lines = landscape.table(
        [
            {"name": "a", "seconds_per_epoch": {"fastmlp": 0.002, "JAX": 0.002}, "times_faster": 1.0},
            {"name": "b", "seconds_per_epoch": {"fastmlp": 0.001, "JAX": 0.016}, "times_faster": 16.0},
            {"name": "c", "seconds_per_epoch": {"fastmlp": 0.001}, "times_faster": None},
        ]
    ).splitlines()
    assert lines[1].split() == ["a", "2.00", "2.00", "1.00", "<"]
    assert lines[2].split() == ["b", "1.00", "16.0", "16.00"]
    assert lines[3].split() == ["c", "1.00", "–"]
    assert "least 1.00" in lines[4] and "geometric mean 4.00" in lines[4] and "1 below" in lines[4]
