"""Karman's own steps, and those of this package."""

from tests.steps import beside_the_own

__path__ = beside_the_own(__path__)
