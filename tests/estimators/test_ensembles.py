"""Ensembles: members are what they are alone, answers are their mean, and rows are judged by who hasn't seen them."""

import _thread
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import estimator_checks_generator

from fastmlp import Ensemble
from fastmlp.errors import ArgumentError, ArgumentTypeError, DivergenceError
from fastmlp.estimators import MLPClassifier, MLPEnsembleClassifier, MLPEnsembleRegressor, MLPRegressor

from ..interpreted import too_long_for_python

CHECKS = [
    pair
    for ensemble in (
        MLPEnsembleClassifier(MLPClassifier(20, learning_rate_init=0.02, max_iter=100), n_members=2),
        MLPEnsembleRegressor(MLPRegressor("squared_error", 20, learning_rate_init=0.02, max_iter=100), n_members=2),
    )
    for pair in estimator_checks_generator(ensemble)
]


@too_long_for_python
@pytest.mark.parametrize(("estimator", "check"), CHECKS, ids=lambda part: getattr(part, "func", type(part)).__name__)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def classifier(**options):
    return MLPClassifier(**{"hidden_layer_sizes": 6, "max_iter": 8, "learning_rate_init": 0.02} | options)


def ensemble_of(member=None, **options):
    return MLPEnsembleClassifier(member or classifier(), **{"n_members": 3, "random_state": 0} | options)


def regressor(**options):
    return MLPRegressor(**{"hidden_layer_sizes": 6, "max_iter": 8, "learning_rate_init": 0.02} | options)


def same_weights(one, other):
    return np.array_equal(one.network_.state.parameters, other.network_.state.parameters)


def judged(ensemble, X):
    """Which rows each member of an ensemble of folds is judged by, (n_members, n_rows)."""
    answers = np.array([member.predict_proba(X) for member in ensemble.estimators_])
    return (answers == ensemble.oof_prediction_).all(axis=2)


def test_a_member_has_the_bits_of_its_own_fit(flowers):
    ensemble = ensemble_of().fit(*flowers)
    for member in ensemble.estimators_:
        assert same_weights(member, clone(member).fit(*flowers))
    assert not same_weights(*ensemble.estimators_[:2])


@pytest.mark.parametrize("resample", ["seeds", "folds", "bootstrap"])
def test_the_number_of_threads_changes_no_bit(flowers, resample):
    one, two = (ensemble_of(resample=resample, n_threads=threads).fit(*flowers) for threads in (1, 2))
    assert all(same_weights(a, b) for a, b in zip(one.estimators_, two.estimators_, strict=True))


def test_probabilities_are_the_mean_of_the_members(flowers):
    X, y = flowers
    ensemble = ensemble_of().fit(X, y)
    mean = np.mean([member.predict_proba(X) for member in ensemble.estimators_], axis=0)
    np.testing.assert_allclose(ensemble.predict_proba(X), mean, rtol=1e-12)
    np.testing.assert_array_equal(ensemble.predict(X), ensemble.classes_[mean.argmax(axis=1)])
    np.testing.assert_allclose(ensemble.predict_log_proba(X), np.log(mean), rtol=1e-10)


@pytest.mark.parametrize("labels", [["no", "yes"], ["only"]])
def test_two_classes_and_one(flowers, labels):
    X, _ = flowers
    ensemble = ensemble_of().fit(X, np.resize(labels, len(X)))
    assert ensemble.predict_proba(X).shape == (len(X), 2)
    assert set(ensemble.predict(X)) <= set(labels)


def test_several_labels_of_a_row(flowers):
    X, _ = flowers
    ensemble = ensemble_of(resample="folds").fit(X, (X[:, :2] > 0).astype(int))
    assert ensemble.predict(X).shape == ensemble.predict_proba(X).shape == ensemble.oof_prediction_.shape == (150, 2)


def test_each_row_is_judged_by_the_member_that_left_it_out(flowers):
    X, y = flowers
    ensemble = ensemble_of(resample="folds").fit(X, y)
    judges = judged(ensemble, X)
    assert judges.sum(axis=0).tolist() == [1] * 150
    assert judges.sum(axis=1).tolist() == [50] * 3
    for left, member in zip(judges, ensemble.estimators_, strict=True):
        assert same_weights(member, clone(member).fit(X[~left], y[~left]))
    expected = accuracy_score(y, ensemble.classes_[ensemble.oof_prediction_.argmax(axis=1)])
    assert ensemble.oof_score_ == expected


def test_folds_share_out_every_class(flowers):
    X, _ = flowers
    rare = np.array(["common"] * 141 + ["rare"] * 9)
    ensemble = ensemble_of(resample="folds").fit(X, rare)
    assert judged(ensemble, X)[:, 141:].sum(axis=1).tolist() == [3, 3, 3]


def test_a_bootstrap_leaves_some_rows_to_be_judged(waves):
    X, y = waves
    ensemble = MLPEnsembleRegressor(regressor(), n_members=4, resample="bootstrap", random_state=0).fit(X, y)
    known = ~np.isnan(ensemble.oof_prediction_)
    assert 0.7 < known.mean() <= 1
    assert ensemble.oof_score_ == r2_score(y[known], ensemble.oof_prediction_[known])


def test_a_member_whose_rows_lack_a_class_knows_it_all_the_same(flowers):
    X, _ = flowers
    y = np.array(["rare"] + ["common"] * 149)
    ensemble = ensemble_of(resample="bootstrap", n_members=6).fit(X, y)
    assert all(member.classes_.tolist() == ["common", "rare"] for member in ensemble.estimators_)
    assert ensemble.predict_proba(X).shape == (150, 2)


@pytest.mark.parametrize("columns", [1, 2])
def test_numbers_with_their_spread(waves, columns):
    X, y = waves
    y = y if columns == 1 else np.column_stack([y, -y])
    ensemble = MLPEnsembleRegressor(regressor(), n_members=3, random_state=0).fit(X, y)
    mean, std = ensemble.predict(X, return_std=True)
    answers = [member.predict(X) for member in ensemble.estimators_]
    np.testing.assert_allclose(mean, np.mean(answers, axis=0), rtol=1e-12)
    np.testing.assert_allclose(std, np.std(answers, axis=0), rtol=1e-12)
    np.testing.assert_array_equal(ensemble.predict(X), mean)


def test_weights_go_with_their_rows(flowers):
    X, y = flowers
    weight = np.where(np.arange(150) % 2, 1.0, 0.0)
    ensemble = ensemble_of(resample="folds").fit(X, y, sample_weight=weight)
    predicted = ensemble.classes_[ensemble.oof_prediction_.argmax(axis=1)]
    assert ensemble.oof_score_ == accuracy_score(y, predicted, sample_weight=weight)


def test_sparse_rows(flowers):
    X, y = flowers
    ensemble = ensemble_of(resample="bootstrap").fit(sparse.csr_array(X), y)
    np.testing.assert_allclose(ensemble.predict_proba(sparse.csr_array(X)), ensemble.predict_proba(X), rtol=1e-10)


def test_columns_have_names(flowers):
    pandas = pytest.importorskip("pandas")
    X, y = pandas.DataFrame(flowers[0], columns=list("abcd")), flowers[1]
    ensemble = ensemble_of().fit(X, y)
    assert ensemble.feature_names_in_.tolist() == list("abcd")
    with pytest.raises(ValueError, match="feature names"):
        ensemble.predict(X[list("bacd")])


def test_a_search_reaches_the_members(flowers):
    search = GridSearchCV(ensemble_of(), {"estimator__max_iter": [1, 30], "n_members": [2]}, cv=3).fit(*flowers)
    assert search.best_params_["estimator__max_iter"] == 30


def test_pickled_and_fitted_again(flowers):
    X, y = flowers
    ensemble = ensemble_of(resample="folds").fit(X, y)
    again = pickle.loads(pickle.dumps(ensemble))
    np.testing.assert_array_equal(again.predict_proba(X), ensemble.predict_proba(X))
    ensemble.set_params(resample="seeds").fit(X, y)
    assert not hasattr(ensemble, "oof_score_")


def test_weights_that_somebody_replaced_count(flowers):
    X, y = flowers
    ensemble = ensemble_of().fit(X, y)
    for member in ensemble.estimators_:
        member.coefs_ = [np.zeros_like(W) for W in member.coefs_]
    assert len(np.unique(ensemble.predict(X))) == 1


def test_it_is_saved_as_one_file(flowers, tmp_path):
    X, y = flowers
    ensemble = ensemble_of().fit(X, y)
    ensemble.ensemble_.save(tmp_path / "flowers.npz")
    loaded = Ensemble.load(tmp_path / "flowers.npz")
    np.testing.assert_array_equal(loaded.predict_proba(X), ensemble.predict_proba(X))
    np.testing.assert_array_equal(loaded.predict(X), ensemble.predict(X))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"resample": "jackknife"}, "resample"),
        ({"n_members": 0}, "n_members"),
        ({"n_members": 1, "resample": "folds"}, "n_members"),
        ({"n_members": 151, "resample": "folds"}, "n_members=151"),
        ({"n_threads": 0}, "n_threads"),
    ],
)
def test_what_can_t_be_is_said_before_anything_is_trained(flowers, options, words):
    with pytest.raises(ArgumentError, match=words):
        ensemble_of(**options).fit(*flowers)


def test_another_kind_of_member_is_refused(flowers):
    with pytest.raises(ArgumentTypeError, match="MLPClassifier of fastmlp"):
        MLPEnsembleClassifier(regressor()).fit(*flowers)


def test_weights_of_another_length_are_refused(flowers):
    with pytest.raises(ArgumentError, match="a number for each of 150 samples"):
        ensemble_of().fit(*flowers, sample_weight=[1.0, 2.0])


def test_an_error_of_a_member_leaves_the_ensemble_as_it_was(waves):
    X, y = waves
    ensemble = MLPEnsembleRegressor(regressor(), n_members=2, random_state=0).fit(X, y)
    before = ensemble.predict(X)
    with pytest.raises(DivergenceError) as caught:
        ensemble.set_params(estimator__solver="sgd", estimator__learning_rate_init=1e6).fit(X, y)
    assert "member" in caught.value.__notes__[0]
    np.testing.assert_array_equal(ensemble.predict(X), before)


class Interrupting:
    """A callback that has Ctrl-C pressed after so many epochs."""

    def __init__(self, after):
        self.after = after

    def __call__(self, run):
        if run.epoch == self.after:
            _thread.interrupt_main()


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_keeps_what_has_been_trained(flowers, threads):
    member = classifier(max_iter=10**6, n_iter_no_change=np.inf, callbacks=[Interrupting(3)])
    ensemble = ensemble_of(member, n_members=4, n_threads=threads)
    with pytest.warns(UserWarning, match=r"interrupted by user: [12] of 4 members"):
        ensemble.fit(*flowers)
    assert 1 <= len(ensemble.estimators_) <= threads
    assert len(ensemble.predict(flowers[0])) == 150


def test_one_warning_tells_of_features_far_from_unit_size(flowers):
    X, y = flowers
    with pytest.warns(UserWarning) as caught:
        ensemble_of().fit(X * 1e5, y)
    assert len([warning for warning in caught if "standardize" in str(warning.message)]) == 1


@pytest.mark.parametrize("resample", ["seeds", "folds"])
def test_workers_of_an_executor_give_the_same_bits(flowers, resample):
    here, there = ensemble_of(resample=resample), ensemble_of(resample=resample)
    here.fit(*flowers)
    with ThreadPoolExecutor(2) as pool:
        there.fit(*flowers, executor=pool)
    assert all(same_weights(a, b) for a, b in zip(here.estimators_, there.estimators_, strict=True))
    assert not any("_many" in vars(member) for member in there.estimators_)


def test_an_error_in_a_worker_is_told(flowers):
    ensemble = ensemble_of(classifier(learning_rate_init=-1.0))
    with ThreadPoolExecutor(2) as pool, pytest.raises(ArgumentError, match="learning_rate_init"):
        ensemble.fit(*flowers, executor=pool)


def test_what_can_t_travel_to_a_worker_is_told(flowers):
    with ThreadPoolExecutor(1) as pool, pytest.raises(ArgumentError, match="estimator can't travel"):
        ensemble_of(classifier(callbacks=[lambda run: None])).fit(*flowers, executor=pool)
    with pytest.raises(ArgumentTypeError, match="executor must have"):
        ensemble_of().fit(*flowers, executor=2)
