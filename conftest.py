"""What holds for tests and doctests alike: nobody finds the functions that another test registered."""

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item, nextitem):
    """Have the registries of activations and losses after a test as they were before it."""
    from fastmlp.model.activations import ACTIVATIONS
    from fastmlp.model.losses import LOSSES

    before = [(registry, dict(registry)) for registry in (ACTIVATIONS, LOSSES)]
    try:
        return (yield)
    finally:
        for registry, entries in before:
            registry.clear()
            registry.update(entries)
