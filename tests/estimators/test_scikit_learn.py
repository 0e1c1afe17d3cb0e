"""The contract of scikit-learn's estimators."""

import copy
import pickle

import joblib
import numpy as np
import pandas
import polars
import pytest
import sklearn
from joblib.externals.loky import get_reusable_executor
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from fastmlp.estimators import MLPClassifier, MLPRegressor

from ..interpreted import needs_compiler

CHECKS = [pair for make in (MLPClassifier, MLPRegressor) for pair in estimator_checks_generator(make())]


@pytest.mark.parametrize(("estimator", "check"), CHECKS, ids=lambda part: getattr(part, "func", type(part)).__name__)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def classifier(**options):
    return MLPClassifier(8, random_state=0, max_iter=30, learning_rate_init=0.02, **options)


def test_a_grid_search_finds_the_better_parameters(flowers):
    search = GridSearchCV(classifier(), {"max_iter": [1, 40], "dropout": [0.0, 0.1]}, cv=3).fit(*flowers)
    assert search.best_params_["max_iter"] == 40


@pytest.fixture
def joblib_tidied_up():
    """Have joblib's processes, and the threads that watch them, end with the test."""
    yield
    get_reusable_executor().shutdown(wait=True)


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.usefixtures("joblib_tidied_up")
def test_scores_are_the_same_in_processes_and_threads(flowers, backend):
    alone = cross_val_score(classifier(), *flowers, cv=3)
    with joblib.parallel_backend(backend, n_jobs=2):
        np.testing.assert_array_equal(cross_val_score(classifier(), *flowers, cv=3), alone)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda inner: make_pipeline(StandardScaler(), inner),
        lambda inner: CalibratedClassifierCV(inner, cv=3),
        lambda inner: BaggingClassifier(inner, n_estimators=3, random_state=0),
    ],
)
def test_it_works_inside_of(wrap, flowers):
    assert wrap(classifier()).fit(*flowers).score(*flowers) > 0.9


def test_a_clone_has_the_parameters_and_no_weights(flowers):
    copied = clone(classifier(dropout=[0.5]).fit(*flowers))
    assert copied.get_params() == classifier(dropout=[0.5]).get_params()
    assert not hasattr(copied, "coefs_")


@pytest.mark.parametrize("way", [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy])
@pytest.mark.parametrize("options", [{}, {"early_stopping": True}, {"solver": "sgd", "learning_rate": "invscaling"}])
def test_a_copy_goes_on_with_the_same_bits(way, options, flowers):
    original = classifier(warm_start=True, batch_size=20, **options).fit(*flowers)
    copied = way(original)
    for estimator in (original, copied):
        estimator.fit(*flowers)
    assert copied.loss_curve_ == original.loss_curve_
    np.testing.assert_array_equal(copied.predict_proba(flowers[0]), original.predict_proba(flowers[0]))


def test_a_pickle_holds_the_weights_once(waves):
    fitted = MLPRegressor(hidden_layer_sizes=2000, solver="lbfgs", max_iter=1, random_state=0).fit(*waves)
    assert len(pickle.dumps(fitted)) < 1.3 * fitted.network_.architecture.flat_size * 8


def test_weights_in_a_copy_are_its_own(flowers):
    original = classifier().fit(*flowers)
    copied = copy.deepcopy(original)
    copied.coefs_[0][...] = 0
    assert original.coefs_[0].any()
    assert not np.array_equal(copied.predict_proba(flowers[0]), original.predict_proba(flowers[0]))


@pytest.mark.parametrize("frame", [pandas.DataFrame, polars.DataFrame])
def test_data_frames_bring_names(frame, flowers):
    X, y = flowers
    names = ["length", "width", "height", "weight"]
    table = frame(dict(zip(names, X.T, strict=True)))
    fitted = classifier().fit(table, y)
    assert fitted.feature_names_in_.tolist() == names
    np.testing.assert_array_equal(fitted.predict_proba(table), classifier().fit(X, y).predict_proba(X))


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix, sparse.csc_array])
@pytest.mark.parametrize("options", [{}, {"standardize": True}, {"solver": "lbfgs"}, {"early_stopping": True}])
def test_sparse_rows_give_what_dense_ones_do(kind, options, flowers):
    X, y = flowers
    X = np.where(X > 1, X, 0)
    dense, few = (classifier(**options).fit(make(X), y).predict_proba(make(X)) for make in (np.asarray, kind))
    np.testing.assert_allclose(few, dense, atol=1e-8)


@needs_compiler  # the reference engine makes batches dense
def test_sparse_rows_are_never_made_dense():
    # As a table of floats this would take 800 GB.
    X = sparse.random_array((10**6, 10**5), density=1e-7, rng=np.random.default_rng(0), format="csr")
    regressor = MLPRegressor(hidden_layer_sizes=1, max_iter=1, batch_size=10**5, random_state=0)
    assert regressor.fit(X, np.ones(10**6)).predict(X).shape == (10**6,)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_the_dtype_of_x_is_kept(dtype, solver, waves):
    X, y = waves
    fitted = MLPRegressor(hidden_layer_sizes=3, solver=solver, max_iter=2, random_state=0).fit(X.astype(dtype), y)
    assert {array.dtype for array in [*fitted.coefs_, *fitted.intercepts_]} == {np.dtype(dtype)}
    assert fitted.predict(X.astype(dtype)).dtype == dtype


def test_whole_numbers_are_computed_in_float64(waves):
    X, y = waves
    fitted = MLPRegressor(hidden_layer_sizes=3, max_iter=1, random_state=0).fit(np.round(X).astype(int), y)
    assert fitted.coefs_[0].dtype == np.float64


def test_metadata_is_routed_to_fit(flowers):
    X, y = flowers
    weights = np.arange(len(X)) % 3 / 2.0
    with sklearn.config_context(enable_metadata_routing=True):
        requested = classifier().set_fit_request(sample_weight=True)
        routed = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), requested)
        routed.fit(X, y, sample_weight=weights)
    direct = classifier().fit(StandardScaler().fit_transform(X), y, weights)
    np.testing.assert_array_equal(routed[-1].coefs_[0], direct.coefs_[0])


def test_lbfgs_has_no_partial_fit():
    assert not hasattr(MLPClassifier(solver="lbfgs"), "partial_fit")
    assert hasattr(MLPClassifier(solver="adamw"), "partial_fit")
