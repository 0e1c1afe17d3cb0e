import copy
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.colors import LogNorm

from fastmlp import Adam, Network, plots
from fastmlp.errors import FastMLPError
from fastmlp.plots.plane import plane_of_path, random_plane, snapshots_of


@pytest.fixture(scope="module")
def trained():
    """A trained network, its data, and the path that its training took."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(60, 3))
    y = (X[:, 0] > X[:, 1]).astype(int)
    network = Network([3, 6, 2], hidden="tanh", l2=0.1, seed=0)
    path = [copy.deepcopy(network.weights)]
    for _ in range(6):
        network.fit(X, y, epochs=2, optimizer=Adam(0.05), engine="numpy", verbose=0)
        path.append(copy.deepcopy(network.weights))
    return SimpleNamespace(network=network, X=X, y=y, path=path)


def losses(axes):
    return np.ma.filled(axes.images[0].get_array(), np.nan)


def line_of(axes):
    return next(line for line in axes.lines if line.get_label().startswith("path"))


def loss_at(trained, plane, place):
    other = copy.deepcopy(trained.network)
    other.state.parameters[...] = plane.centre + np.asarray(place) @ plane.directions
    return other.evaluate(trained.X, trained.y).loss


@pytest.mark.parametrize("directions", ["pca", "random"])
def test_every_point_has_the_loss_of_the_network_there(trained, directions):
    axes = plots.loss_surface(
        trained.network, trained.X, trained.y, path=trained.path, directions=directions, span=2.0, resolution=5, seed=7
    )
    if directions == "pca":
        plane = plane_of_path(trained.network, snapshots_of(trained.path, trained.network.architecture))
    else:
        plane = random_plane(trained.network, 7)
    places = np.linspace(-2, 2, 5)
    expected = [[loss_at(trained, plane, (a, b)) for a in places] for b in places]
    assert losses(axes) == pytest.approx(np.array(expected), rel=1e-5)


def test_the_middle_is_the_network(trained):
    axes = plots.loss_surface(trained.network, trained.X, trained.y)
    loss = trained.network.evaluate(trained.X, trained.y).loss
    assert losses(axes)[12, 12] == pytest.approx(loss, rel=1e-6)
    assert axes.get_title() == f"Loss around the network; at the star {loss:.4f}"
    assert axes.lines[-1].get_xydata().tolist() == [[0, 0]]


def test_the_network_is_not_touched(trained):
    before, history = copy.deepcopy(trained.network.weights), trained.network.history.epochs
    plots.loss_surface(trained.network, trained.X, trained.y, path=trained.path, resolution=5)
    for (W, b), (W_before, b_before) in zip(trained.network.weights, before, strict=True):
        assert np.array_equal(W, W_before) and np.array_equal(b, b_before)
    assert trained.network.history.epochs == history


def test_random_directions_have_the_length_of_each_units_weights(trained):
    plane = random_plane(trained.network, 0)
    for direction in plane.directions:
        for (D, d), (W, _) in zip(trained.network.architecture.views(direction), trained.network.weights, strict=True):
            assert np.linalg.norm(D, axis=0) == pytest.approx(np.linalg.norm(W, axis=0))
            assert not d.any()


def test_a_seed_decides_the_directions(trained):
    drawn = [losses(plots.loss_surface(trained.network, trained.X, trained.y, resolution=5, seed=n)) for n in (1, 1, 2)]
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_the_plane_of_a_path_is_its_principal_components(trained):
    snapshots = snapshots_of(trained.path, trained.network.architecture)
    plane = plane_of_path(trained.network, snapshots)
    assert plane.directions @ plane.directions.T == pytest.approx(np.eye(2), abs=1e-9)
    apart = snapshots - plane.centre
    left = apart - plane.coordinates(snapshots) @ plane.directions
    share = 1 - (left**2).sum() / (apart**2).sum()
    assert sum(plane.shares) == pytest.approx(share)
    assert plane.shares[0] >= plane.shares[1] > 0


def test_the_path_is_drawn_from_its_start_to_the_network_and_within_the_axes(trained):
    axes = plots.loss_surface(trained.network, trained.X, trained.y, path=trained.path, resolution=5)
    line = line_of(axes)
    assert line.get_label() == "path, 7 snapshots"
    places = line.get_xydata()
    assert places[-1] == pytest.approx([0, 0], abs=1e-9)
    assert (places[0] >= 0).all()
    for axis, (low, high) in enumerate((axes.get_xlim(), axes.get_ylim())):
        assert low < places[:, axis].min() and places[:, axis].max() < high
    assert axes.get_xlabel().startswith("direction 1, ") and axes.get_xlabel().endswith("% of the path")


def test_a_path_on_random_directions_is_its_shadow(trained):
    axes = plots.loss_surface(
        trained.network, trained.X, trained.y, path=trained.path, directions="random", resolution=5
    )
    plane = random_plane(trained.network, 0)
    snapshots = snapshots_of(trained.path, trained.network.architecture)
    left = snapshots - plane.centre - line_of(axes).get_xydata() @ plane.directions
    assert left @ plane.directions.T == pytest.approx(np.zeros((7, 2)), abs=1e-6)


def test_losses_that_differ_much_have_a_logarithmic_scale(trained):
    flat = plots.loss_surface(trained.network, trained.X, trained.y, resolution=5, span=0.01)
    assert not isinstance(flat.images[0].norm, LogNorm)
    far = plots.loss_surface(trained.network, trained.X, trained.y, resolution=5, span=30.0)
    assert isinstance(far.images[0].norm, LogNorm)


def test_losses_beyond_all_numbers_are_left_out():
    network = Network([1, 1], loss="squared_error", scaling=None, seed=0)
    network.set_weights([(np.array([[1e18]]), np.zeros(1))])
    axes = plots.loss_surface(network, [[1.0], [2.0]], [1.0, 2.0], resolution=5, span=100.0)
    assert np.isnan(losses(axes)).any()
    axes.figure.canvas.draw()


def test_weights_that_are_all_zero_have_a_flat_surface():
    network = Network([2, 2], initializer="zeros", seed=0)
    assert np.ptp(losses(plots.loss_surface(network, np.eye(2), [0, 1], resolution=5))) == 0


@pytest.mark.filterwarnings("ignore:training ended before it had converged")
def test_an_estimator(trained):
    estimators = pytest.importorskip("fastmlp.estimators")
    model = estimators.MLPClassifier((4,), max_iter=3, random_state=0).fit(trained.X, trained.y)
    drawn = losses(plots.loss_surface(model, trained.X, trained.y, resolution=5))
    assert drawn[2, 2] == pytest.approx(model.network_.evaluate(trained.X, trained.y).loss, rel=1e-6)


def test_snapshots_that_were_not_copied_are_told(trained):
    network = copy.deepcopy(trained.network)
    with pytest.raises(FastMLPError, match=r"all the same: .* append copy.deepcopy\(net.weights\)"):
        plots.loss_surface(network, trained.X, trained.y, path=[network.weights] * 5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"directions": "pca"}, "directions='pca' needs the path of a training"),
        ({"directions": "PCA "}, "unknown directions 'PCA '; did you mean 'pca'"),
        ({"path": []}, "path must be a list of snapshots.* an empty list"),
        ({"path": 3}, "path must be a list of snapshots"),
        ({"path": [3]}, r"path\[0\]: weights must be a list of pairs"),
        ({"path": [Network([3, 5, 2]).weights]}, r"path\[0\]: W of layer 1 must have shape \(3, 6\)"),
        ({"span": 0}, "span must be finite and above 0"),
        ({"span": "wide"}, "span must be a number"),
        ({"resolution": 2}, "resolution must lie between 5"),
        ({"seed": -1}, "seed must lie between 0"),
        ({"model": "model.npz"}, "model must be a Network"),
        ({"X": np.ones((5, 2))}, "X"),
        ({"y": [1]}, "y"),
    ],
)
def test_what_cannot_be_drawn_is_refused(trained, given, message):
    usual = {"model": trained.network, "X": trained.X, "y": trained.y}
    with pytest.raises(FastMLPError, match=message):
        plots.loss_surface(**usual | given)
    assert not pyplot.get_fignums()


def test_a_straight_path_is_refused(trained):
    first, last = trained.path[0], trained.network.weights
    with pytest.raises(FastMLPError, match="at least three different snapshots"):
        plots.loss_surface(trained.network, trained.X, trained.y, path=[first, last])
