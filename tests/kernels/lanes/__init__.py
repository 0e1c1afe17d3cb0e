"""Tests of `fastmlp.kernels.lanes`."""
