"""What privacy law asks of us: nobody who was forgotten comes back, and everybody may know what we hold."""

from plugin.privacy.admission import admit
from plugin.privacy.covered import COVERED
from plugin.privacy.redaction import redact_customer, work
from plugin.privacy.requests import answered, ask, export
from plugin.privacy.retention import retention
from plugin.privacy.shop import redact_shop

__all__ = ["COVERED", "admit", "answered", "ask", "export", "redact_customer", "redact_shop", "retention", "work"]
