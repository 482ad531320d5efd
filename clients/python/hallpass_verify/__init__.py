"""Verifies Hallpass's access tokens offline, and refuses revoked ones within a second."""

from ._verifier import Claims, Result, Status, Verifier

__all__ = ["Claims", "Result", "Status", "Verifier"]
