"""What the tests of all connectors may ask for."""

from tests.connectors.contract import api, small_pages

__all__ = ["api", "small_pages"]
