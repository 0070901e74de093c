"""Outgoing webhooks: who enters and leaves segments, told to any tool of the merchant's that listens."""
