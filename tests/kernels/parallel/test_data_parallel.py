import numpy as np
import pytest

from fastmlp.kernels.parallel import data_parallel as groups
from fastmlp.kernels.runtime.records import Step, Targets, Work

from .. import twins
from ..calls import both_dtypes, check_same, from_python, random_numbers


@both_dtypes
@pytest.mark.parametrize("count", [1, 2, 8])
def test_add_groups(count, dtype):
    arguments = random_numbers(56, dtype), random_numbers(8 * 48, dtype, 1), count, 48
    check_same(groups.add_groups, twins.add_groups, arguments)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_count_in_group(first, weighted):
    totals, losses, correct = (random_numbers(48, np.float64, seed) for seed in range(3))
    weights, order = random_numbers(9, np.float32, 4), np.random.default_rng(0).permutation(9)
    want = twins.group_sums(totals, 1, first, losses, correct, weights[order] if weighted else np.ones(9), slice(2, 7))
    work = Work(np.float32, groups=2, group_totals=totals, losses=losses, correct=correct)
    targets = Targets(np.float32, weighted=weighted, weights=weights)
    number = 1 if first else 3
    step = Step(np.float32, work=work, targets=targets, order=order, position=2, count=5, number=number)
    from_python(groups.count_in_group)(step)
    np.testing.assert_array_equal(totals, want)
