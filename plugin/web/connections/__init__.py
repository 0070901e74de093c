"""What the shop is connected with: platforms by consent, what they sent, what was written there, and the way out."""
