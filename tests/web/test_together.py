"""Doing together what is asked for at once: everybody gets an own result, and one fault stays one."""

import threading

import pytest

from plugin.web.machines.together import Together


class Work:
    """Doubles numbers; its first call waits until all others have come. 13 cannot be doubled."""

    def __init__(self):
        self.calls = []
        self.begun = threading.Event()
        self.go = threading.Event()

    def __call__(self, take):
        items = take()
        self.calls.append(list(items))
        if len(self.calls) == 1:
            self.begun.set()
            self.go.wait(10)
        if 13 in items:
            raise ValueError(13)
        return [2 * one for one in items]


def ask_all(numbers):
    """Ask for the first number, and for the others while it is being worked; return the work and all answers."""
    work = Work()
    together = Together(work, spoilt=(ValueError,))
    answers = {}

    def ask(number):
        try:
            answers[number] = together(number)
        except ValueError as error:
            answers[number] = error

    threads = [threading.Thread(target=ask, args=(number,)) for number in numbers]
    threads[0].start()
    work.begun.wait(10)
    for one in threads[1:]:
        one.start()
    while len(together.waiting) < len(numbers) - 1:
        threading.Event().wait(0.001)
    work.go.set()
    for one in threads:
        one.join(10)
    return work, answers


def test_what_comes_while_work_is_done_is_done_in_one_go():
    work, answers = ask_all(range(10))
    assert answers == {number: 2 * number for number in range(10)}
    assert [len(call) for call in work.calls] == [1, 9]


def test_one_that_fails_does_not_spoil_the_others():
    work, answers = ask_all([1, 2, 13, 4])
    assert isinstance(answers.pop(13), ValueError)
    assert answers == {1: 2, 2: 4, 4: 8}
    assert sorted(map(len, work.calls)) == [1, 1, 1, 1, 3]


def test_whoever_comes_while_work_waits_its_turn_is_taken_along():
    begun, go = threading.Event(), threading.Event()
    calls = []

    def work(take):
        begun.set()
        go.wait(10)
        calls.append(take())
        return calls[-1]

    together = Together(work, spoilt=(ValueError,))
    threads = [threading.Thread(target=together, args=(number,)) for number in range(5)]
    threads[0].start()
    begun.wait(10)
    for one in threads[1:]:
        one.start()
    while len(together.waiting) < 5:
        threading.Event().wait(0.001)
    go.set()
    for one in threads:
        one.join(10)
    assert [sorted(call) for call in calls] == [[0, 1, 2, 3, 4]]


def test_what_is_nobodys_fault_is_not_tried_again_for_each():
    calls = []

    def work(take):
        calls.append(take())
        raise OSError("no database")

    with pytest.raises(OSError, match="no database"):
        Together(work, spoilt=(ValueError,))(1)
    assert calls == [[1]]


def test_work_that_fails_before_it_takes_anybody_fails_for_all_who_wait():
    def work(take):
        raise OSError("no turn")

    together = Together(work, spoilt=(ValueError,))
    for _ in range(2):
        with pytest.raises(OSError, match="no turn"):
            together(1)
    assert not together.waiting


def test_a_fault_reaches_whoever_asked_and_the_next_is_served():
    work = Work()
    work.go.set()
    together = Together(work, spoilt=(ValueError,))
    with pytest.raises(ValueError, match="13"):
        together(13)
    assert together(3) == 6
