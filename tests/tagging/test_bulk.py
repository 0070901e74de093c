"""Many customers at once: one operation for all of them, found again whatever happens, and settled line by line."""

from datetime import timedelta

import pytest

from connectors.records import JobFinished
from connectors.stores.shopify import tags
from plugin import ingest, shops
from plugin.db import transaction
from plugin.models.tagging import Job, Push
from plugin.tagging import pushes
from tests.tagging.interference import KilledError, around, step, survives

MANY = tags.MOST_BY_REQUESTS + 1


@pytest.fixture
def store(merchants):
    return merchants(platforms=["shopify"])


def operations(merchant):
    return [one["query"] for one in merchant.shopify.mutations.operations()]


def requests(merchant, word):
    return [one for one in merchant.calls("shopify") if word in str(one["body"])]


def carried(merchant):
    return {contact: held for contact, held in merchant.tags("shopify").items() if held}


def test_two_thousand_cost_one_operation(store):
    store.customers(*range(2_000), mail=False)
    store.shopify.bulk.seconds = 60
    store.enter(store.segment("vip"), *range(2_000))
    store.work(patience=7_200)
    assert store.tags("shopify") == {one: {"seg:vip"} for one in store.ids.values()}
    assert set(store.ledger("shopify").values()) == {"confirmed"}
    assert len(operations(store)) == 1
    assert len(requests(store, "nodes(ids")) == 8
    assert len(requests(store, "tagsAdd(")) == 1, "the operation's own document"
    assert store.settled()
    assert not store.rows(Push)


def test_fifty_cost_at_most_ten_requests(store):
    store.customers(*range(50))
    store.enter(store.segment("vip"), *range(50))
    store.work()
    assert len(carried(store)) == 50
    assert len(store.calls("shopify")) <= 10
    assert not operations(store)


def test_many_who_change_places_cost_two_operations(store):
    store.customers(*range(MANY))
    vip, new = store.segment("vip"), store.segment("new")
    store.enter(new, *range(MANY))
    store.work()
    store.leave(new, *range(MANY))
    store.enter(vip, *range(MANY))
    store.work()
    assert carried(store) == {one: {"seg:vip"} for one in store.ids.values()}
    assert ["tagsRemove" in one for one in operations(store)] == [False, False, True]


def test_who_changes_while_the_operation_runs_is_put_right_after_it(store):
    store.customers(*range(MANY))
    store.shopify.bulk.seconds = 300
    vip = store.segment("vip")
    store.enter(vip, *range(MANY))
    store.work(patience=60)
    assert len(store.rows(Job)) == 1
    store.leave(vip, 0, 1)
    store.work(patience=60)
    assert len(store.rows(Job)) == 1, "two at once could pass each other"
    store.work(patience=3_600)
    assert carried(store).keys() == {store.ids[number] for number in range(2, MANY)}
    assert store.settled()


def test_its_end_is_asked_after_when_it_is_told_and_not_when_it_was_meant_to_be(store):
    store.customers(*range(MANY))
    store.shopify.bulk.seconds = 150
    store.enter(store.segment("vip"), *range(MANY))
    store.work(patience=110)
    [job] = store.rows(Job)
    assert job.due_at > store.time() + timedelta(seconds=150)
    store.time.move(seconds=150)
    ended = JobFinished(store.shopify.mutations.operations()[0]["id"])
    with transaction(store.engine) as session:
        ingest.store(session, shops.shop(session, store.shop_id), store.places["shopify"], [ended])
    store.work(patience=0)
    assert store.settled()


def test_the_webhooks_of_an_operation_are_known_for_our_own(store):
    store.customers(*range(MANY))
    vip = store.segment("vip")
    store.enter(vip, *range(MANY))
    store.work()
    told = store.records()
    assert len(told) == MANY
    assert all(not one.added and not one.removed for one in store.hear(told))
    store.leave(vip, *range(MANY))
    store.work()
    assert all(not one.added and not one.removed for one in store.hear(store.records()))
    assert set(store.ledger("shopify").values()) == {"removed"}
    assert not carried(store)


def test_webhooks_that_come_while_the_operation_runs_are_known_too(store):
    store.customers(*range(MANY))
    store.shopify.bulk.seconds = 300
    store.enter(store.segment("vip"), *range(MANY))
    store.work(patience=60)
    told = store.records()
    assert told
    assert all(not one.added for one in store.hear(told))
    store.work(patience=3_600)
    assert set(store.ledger("shopify").values()) == {"confirmed"}


@pytest.mark.parametrize("fault", ["failed", "cut", "expired", "lost", "half", "busy"])
def test_whatever_becomes_of_an_operation_all_are_tagged_in_the_end(store, fault):
    store.customers(*range(MANY))
    store.enter(store.segment("vip"), *range(MANY))
    store.shopify.faults.add(fault, body="bulkOperationRunMutation")
    store.work(patience=7_200)
    assert carried(store) == {one: {"seg:vip"} for one in store.ids.values()}
    assert store.settled()
    if fault in ("lost", "half", "busy"):
        assert len(operations(store)) == 1


@pytest.mark.parametrize("word", ["stagedUploadsCreate", "uploads"])
def test_an_upload_that_fails_is_made_again(store, word):
    store.customers(*range(MANY))
    store.enter(store.segment("vip"), *range(MANY))
    store.shopify.faults.add("error", **({"path": word} if word == "uploads" else {"body": word}))
    store.work(patience=7_200)
    assert len(carried(store)) == MANY
    assert store.settled()
    assert len(operations(store)) == 1


def test_at_most_five_of_ours_run_at_once_and_waiting_is_no_failure(store, monkeypatch):
    size = 10_000
    begun = []
    store.customers(*range(3))
    vip = store.segment("vip")
    opened = store.opened("shopify")
    assert opened.connector.capabilities.contacts_per_call == size
    around(monkeypatch, "shopify", before_send=begun.append)
    from plugin.db import transaction
    from plugin.tagging import budgets, settling

    with transaction(store.engine) as session:
        for number in range(5):
            settling.keep(session, opened, f"1*1;name;{number}", [("x", 1)])
        rate = opened.connector.capabilities.rates["bulk"]
        assert budgets.draw(session, opened, "bulk", rate, 1, store.time()) == 10
        assert budgets.duration(rate, [1]) == 0
    assert vip
    assert not begun


def test_five_hundred_more_wait_for_the_five_that_run(store):
    store.customers(*range(MANY))
    for _ in range(5):
        store.shopify.bulk.start("MUTATION", "mutation { x }", slow=100, path="")
    store.enter(store.segment("vip"), *range(MANY))
    store.work(patience=60)
    assert not carried(store)
    assert {row.attempts for row in store.rows(Push)} == {0}
    store.work(patience=600)
    assert len(carried(store)) == MANY
    assert store.settled()


def test_who_has_as_many_tags_as_shopify_holds_is_shown_and_not_tried_again(store):
    store.customers(1, tags=[f"t{number}" for number in range(250)])
    store.customers(2)
    vip, new = store.segment("vip"), store.segment("new")
    store.enter(vip, 1, 2)
    store.work()
    [row] = store.rows(Push)
    assert (row.contact, row.state, row.attempts) == (store.ids[1], "failed", pushes.ATTEMPTS)
    assert "250" in row.error
    assert "seg:vip" in store.tags_of(2)[0]
    before = len(store.calls("shopify"))
    for _ in range(3):
        store.time.move(days=1)
        store.work()
    assert len(store.calls("shopify")) == before
    store.enter(new, 1)  # the customer changes, and is tried once more
    store.work()
    assert [row.state for row in store.rows(Push)] == ["failed"]
    assert len(store.calls("shopify")) > before


def test_who_gives_a_tag_back_is_tried_again(store):
    store.customers(1, tags=[f"t{number}" for number in range(250)])
    store.enter(store.segment("vip"), 1)
    store.work()
    store.shopify.roots["tagsRemove"](None, id=f"gid://shopify/Customer/{store.ids[1]}", tags=["t1"])
    store.time.move(hours=1)
    store.hear(store.records())
    store.work()
    assert "seg:vip" in store.tags_of(1)[0]
    assert not store.rows(Push)


def scene(merchant):
    """More than requests are made for: some to be tagged, some to be taken off, some both, one full, one gone."""
    everybody = range(MANY + 6)
    merchant.customers(*everybody)
    vip, new = merchant.segment("vip"), merchant.segment("new")
    merchant.enter(vip, *range(4))
    merchant.work()
    merchant.time.move(hours=1)
    [full] = merchant.shopify.add([{"email": "full@example.com", "tags": [f"t{n}" for n in range(250)]}])
    merchant.shopify.state.delete("customer", merchant.ids[MANY + 5])
    merchant.leave(vip, 1, 2)
    merchant.enter(new, *everybody[2:])
    return full


def outcome(merchant):
    assert all(not one.added and not one.removed for one in merchant.hear(merchant.records()))
    names = {contact: number for number, contact in merchant.ids.items()}
    return {
        "tags": {names.get(contact): held for contact, held in merchant.tags("shopify").items()},
        "ledger": {(names[contact], tag): state for (contact, tag), state in merchant.ledger("shopify").items()},
        "queue": {names[row.contact]: (row.state, row.attempts) for row in merchant.rows(Push)},
        "jobs": merchant.rows(Job),
    }


def test_wherever_a_worker_is_killed_the_next_one_ends_as_if_nothing_had_happened(merchants, monkeypatch, time):
    began = time.at
    undisturbed = merchants(platforms=["shopify"])
    scene(undisturbed)
    undisturbed.work()
    wanted = outcome(undisturbed)
    assert len(operations(undisturbed)) == 2
    undisturbed.close()
    point, alive = 0, False
    while not alive:
        point, time.at = point + step(undisturbed.engine), began
        merchant = merchants(platforms=["shopify"])
        scene(merchant)
        alive = survives(monkeypatch, merchant.engine, point, merchant.work)
        merchant.work()
        assert outcome(merchant) == wanted, f"killed at point {point}"
        assert len(operations(merchant)) <= 2, f"killed at point {point}: nothing is done twice"
        merchant.close()
    assert point > 12


def test_a_worker_killed_while_it_runs_does_not_let_a_later_change_pass(merchants, monkeypatch):
    """The operation was begun and never kept; meanwhile somebody leaves, and must not be tagged after that."""
    merchant = merchants(platforms=["shopify"])
    merchant.customers(*range(MANY))
    merchant.shopify.bulk.seconds = 600
    vip = merchant.segment("vip")
    merchant.enter(vip, *range(MANY))

    def kill(*_):
        raise KilledError

    with monkeypatch.context() as patched:
        around(patched, "shopify", after_send=kill)
        with pytest.raises(KilledError):
            merchant.work()
    merchant.leave(vip, 0)
    merchant.work(patience=300)
    assert not [one for one in operations(merchant) if "tagsRemove" in one]
    merchant.work(patience=7_200)
    assert carried(merchant).keys() == {merchant.ids[number] for number in range(1, MANY)}
    assert merchant.settled()
    assert len([one for one in operations(merchant) if "tagsAdd" in one]) == 1
