"""The mechanisms are tested on claims: the world of the claims' tests, with its own folders and clock."""

from apps.claims.tests.conftest import now, own_folders, world

__all__ = ["now", "own_folders", "world"]
