"""What each role may do on the site: one table, asked by the door before every page and by the pages' buttons."""

from __future__ import annotations

from collections.abc import Mapping

from flask import g

from plugin import people

# Whatever is not named here needs a viewer to be read, and an owner to write.
VIEWER = """
    accounts.logout clauses.show customers.find editor.check_query
    languages.choose members.look_up people.change_password people.end_others
"""
EDITOR = """
    compared.count
    conflicts.add conflicts.remove
    deliveries.body deliveries.retry deliveries.retry_all
    drafts.decide
    editor.add editor.change editor.edit editor.new editor.tested
    edits.restore
    first_steps.go first_steps.put_away first_steps.stop first_steps.take
    gallery.add gallery.learn
    ladders.add ladders.ask ladders.change ladders.edit ladders.new ladders.remove
    members.export
    pins.pin pins.pin_here pins.unpin pins.unpin_here
    portable.take_in
    rehearsals.audience rehearsals.release
    removals.ask removals.remove
    reviews.done
    safety.drop_webhooks safety.read_back safety.release_webhooks safety.repair safety.take_back
    segment_settings.change
    segments.switch
    snapshots.delete snapshots.members snapshots.take
    trials.drop trials.expect
"""
# Pages that are only forms for owners, addresses that lead to a platform's consent, and all that is held of somebody.
OWNER = """
    attribute_files.page connections.ask_to_disconnect connections.new people.ask_to_remove
    consents.begin consents.callback consents.choose requests.download safety.ask_to_leave
"""
NEEDS: Mapping[str, str] = {
    endpoint: role
    for role, endpoints in zip(people.ROLES, (VIEWER, EDITOR, OWNER), strict=True)
    for endpoint in endpoints.split()
}


READING = ("GET", "HEAD", "OPTIONS")


def needed(endpoint: str, method: str) -> str:
    """Return the role that an address needs."""
    otherwise = people.ROLES[0] if method in READING else people.OWNER
    return NEEDS.get(endpoint, otherwise)


def may(endpoint: str) -> bool:
    """Whether the visitor may do what a form sends, or open a page that is named in the table."""
    return people.may(g.get("role"), needed(endpoint, "POST"))
