"""The texts of the site in other languages: one catalog a language, written by `make translations`."""
