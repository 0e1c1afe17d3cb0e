import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp import Network
from fastmlp.data.targets import Labels, Targets
from fastmlp.data.weights import class_factors, mean_one
from fastmlp.errors import ArgumentError

LABELS = Labels("classes", np.array(["a", "b", "c"]))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=30))
def test_balanced_weights_are_those_of_the_rows_repeated(pairs):
    classes, counts = np.array(pairs, np.int32).T
    if not counts.any():
        return
    weighted = class_factors("balanced", Targets(classes, None), LABELS, counts.astype(float))
    repeated = class_factors("balanced", Targets(np.repeat(classes, counts), None), LABELS)
    np.testing.assert_allclose(np.repeat(weighted, counts), repeated)


@pytest.mark.parametrize("class_weight", [{"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 2, "z": 3}])
def test_a_class_that_these_rows_lack_may_be_named(class_weight):
    rows = Targets(np.array([0, 1, 0], np.int32), None)
    assert class_factors(class_weight, rows, LABELS).tolist() == [1, 2, 1]


def test_a_name_too_many_is_an_error_where_a_class_has_no_weight():
    with pytest.raises(ArgumentError, match=r"'z'.*no weight for 'b'"):
        class_factors({"a": 1, "z": 3}, Targets(np.array([0, 1], np.int32), None), LABELS)


@given(st.lists(st.just(0.0) | st.floats(1e-9, 1e9), min_size=1, max_size=9).filter(any))
def test_scaled_weights_keep_their_proportions(weights):
    scaled = mean_one(np.array(weights))
    assert scaled.mean() == pytest.approx(1)
    np.testing.assert_allclose(scaled * weights[int(np.argmax(weights))], scaled.max() * np.array(weights), rtol=1e-9)


def test_weights_of_whole_numbers_train_as_rows_repeated(engine):
    generator = np.random.default_rng(0)
    X, y, weights = generator.normal(size=(40, 3)), np.arange(40) % 2, generator.integers(0, 4, 40)
    probabilities = []
    for data, weight in (((X, y), weights), ((np.repeat(X, weights, axis=0), np.repeat(y, weights)), None)):
        net = Network([3, 5, 2], dtype="float64", scaling="standardize", seed=0)
        options = {"class_weight": "balanced", "sample_weight": weight, "engine": engine}
        net.fit(*data, epochs=20, batch_size=1000, verbose=0, **options)
        probabilities.append(net.predict_proba(X))
    np.testing.assert_allclose(*probabilities, atol=1e-6)
