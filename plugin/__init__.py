"""The app: what it receives, keeps, works out and writes back."""
