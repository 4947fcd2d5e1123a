"""Fixtures of searches that are done in this process."""

from tests.searches.plain import data, found, plain_pool, seek

__all__ = ["data", "found", "plain_pool", "seek"]
