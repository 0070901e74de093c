"""What the stand-ins remember is safe: over a restart, between threads, and when something fails halfway."""

import threading

import pytest

from plugin.sandbox.ids import Ids
from plugin.sandbox.state import Entry, State
from tests.sandbox.conftest import opened


def people(count):
    return [Entry(f"{number:06}", {"n": number}, f"P{number}@Example.com", f"{number % 7}") for number in range(count)]


def test_documents_survive_a_restart(tmp_path):
    with opened(tmp_path / "state.sqlite") as state:
        state.put("person", people(3))
        state.delete("person", "000001")
    with opened(tmp_path / "state.sqlite") as state:
        assert [one["n"] for one in state.walk("person")] == [0, 2]


def test_a_document_is_found_by_its_other_name_in_any_case(state):
    state.put("person", people(3))
    assert state.find("person", "p1@EXAMPLE.com") == {"n": 1}
    assert [one["n"] for one in state.found("person", ["p2@example.com", "P0@example.com", "none@example.com"])] == [
        0,
        2,
    ]


def test_a_changed_document_is_no_longer_found_by_its_old_name(state):
    state.put("person", [Entry("1", {}, "old@example.com")])
    state.put("person", [Entry("1", {}, "new@example.com")])
    assert state.find("person", "old@example.com") is None


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("by", ["key", "moment"])
def test_a_walk_over_many_documents_sees_each_once_and_in_order(state, by, reverse):
    state.put("person", people(1_203))
    order = (lambda n: n) if by == "key" else (lambda n: (n % 7, n))
    assert [one["n"] for one in state.walk("person", by, reverse=reverse)] == sorted(
        range(1_203), key=order, reverse=reverse
    )


def test_a_walk_goes_on_behind_a_place(state):
    state.put("person", people(20))
    assert [one["n"] for one in state.walk("person", "moment", after=("5", "000012"))] == [19, 6, 13]


def test_a_failed_transaction_leaves_nothing(state):
    def fail():
        with state.transaction():
            state.set("person", "1", {})
            with state.transaction():
                state.set("person", "2", {})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert state.count("person") == 0


def test_threads_do_not_lose_each_others_changes(state):
    state.set("counter", "1", {"n": 0})

    def count():
        for _ in range(200):
            with state.transaction():
                state.set("counter", "1", {"n": state.get("counter", "1")["n"] + 1})

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state.get("counter", "1") == {"n": 800}


def test_ids_are_beyond_what_javascript_can_count_and_never_given_twice(tmp_path):
    with opened(tmp_path / "state.sqlite") as state:
        one, other = Ids(state), Ids(state)
        given = [ids.new("order") for _ in range(1_500) for ids in (one, other)]
    with opened(tmp_path / "state.sqlite") as state:
        given += [Ids(state).new("order"), Ids(state).new("customer")]
    assert len(set(given)) == len(given)
    assert min(given) > 2**53
    assert max(given) < 2**63


def test_an_unopened_folder_is_an_error(tmp_path):
    with pytest.raises(Exception, match="unable to open"):
        State(tmp_path / "nowhere" / "state.sqlite")
