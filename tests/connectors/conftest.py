"""What the tests of all connectors may ask for."""

from tests.connectors.contract import api

__all__ = ["api"]
