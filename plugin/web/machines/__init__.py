"""What machines send, and never a page: webhooks, events of browsers, whether we live."""
