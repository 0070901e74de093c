"""What happens around a connector's calls, and processes that end where a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from connectors import registry
from connectors.writers import AudienceMaker, TagMaker

CALLS = ("look_up", "send", "poll")
AUDIENCES = ("make_audience", "change_audience", "drop_audience")
TAGS = ("make_tag",)
METHODS = (*CALLS, "plan")


class KilledError(BaseException):
    """The process ends here: nobody tidies up."""


def around(monkeypatch: Any, platform: str, **hooks: Callable[..., Any]) -> None:
    """Do something before or after a platform's calls: `before_send=…`, `after_look_up=…`; a hook is given the call."""
    connector = registry()[platform]
    more = {AudienceMaker: AUDIENCES, TagMaker: TAGS}
    methods = (*METHODS, *(name for role, names in more.items() if issubclass(connector, role) for name in names))

    def hooked(name: str) -> Callable[..., Any]:
        def call(self: Any, *asked: Any) -> Any:
            hooks.get(f"before_{name}", ignore)(*asked)
            answer = getattr(connector, name)(self, *asked)
            hooks.get(f"after_{name}", ignore)(*asked)
            return answer

        return call

    monkeypatch.setitem(
        registry(), platform, type(connector)("Hooked", (connector,), {name: hooked(name) for name in methods})
    )


def ignore(*_: Any) -> None:
    """Nothing happens."""


class Killer:
    """Ends the process at the n-th of all the points at which something has just happened, or is about to last."""

    def __init__(self, at: int) -> None:
        self.at, self.passed = at, 0

    def __call__(self, *_: Any) -> None:
        self.passed += 1
        if self.passed == self.at:
            raise KilledError


@contextmanager
def killed(monkeypatch: Any, engine: Engine, at: int) -> Iterator[Killer]:
    """Kill at the n-th point: right before a transaction is committed, or right after a platform has done its part."""
    killer = Killer(at)
    with monkeypatch.context() as patched:
        for platform in list(registry()):
            around(patched, platform, **{f"after_{name}": killer for name in (*CALLS, *AUDIENCES, *TAGS)})
        event.listen(engine, "commit", killer)
        try:
            yield killer
        finally:
            event.remove(engine, "commit", killer)


def step(engine: Engine) -> int:
    """Return how far the next point is: SQLite goes through all of them, and Postgres, where they are the same, through
    each third."""
    return 1 if engine.dialect.name == "sqlite" else 3


def survives(monkeypatch: Any, engine: Engine, at: int, work: Callable[[], Any]) -> bool:
    """Work, and return whether the end was reached before the n-th point."""
    with killed(monkeypatch, engine, at):
        try:
            work()
        except KilledError:
            return False
    return True
