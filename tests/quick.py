"""What spares the tests work that was done for an earlier one, and changes nothing that they can see."""

import gc
import hashlib
from collections.abc import Callable
from functools import cache
from typing import Any

from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]


def compile_rules_once() -> None:
    """Let apps with the same rules share what builds their addresses: a third of a test of the site was compiling it.

    Each test has an app of its own, and the site has some 150 rules, compiled to Python twice each. What is compiled is
    a function of the rule's parts alone; the rule itself comes to it as an argument.
    """
    compiled, kept = Rule._compile_builder, dict[Any, Builder]()

    def once(rule: Rule, append_unknown: bool = True) -> Builder:
        key = (rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown)
        if key not in kept:
            kept[key] = compiled(rule, append_unknown)
        return kept[key]

    Rule._compile_builder = once


def leave_out_of_collections_what_stays() -> None:
    """Modules and collected tests live to the end: looking through them for garbage was a tenth of all time."""
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def derive_keys_once() -> None:
    """Let the same password under the same salt be worked out once: it takes a tenth of a second by intent."""
    hashlib.scrypt = cache(hashlib.scrypt)
