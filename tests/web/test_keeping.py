"""How segments are kept on a connection, and segments of the platform's own, as the merchant says so on the pages."""

import json
import re

import pytest
import responses

from plugin.db import transaction
from plugin.models.shops import Connection
from plugin.models.tagging import Audience, Destination
from plugin.tagging import rehearsal
from tests.web.test_segments import shown

GRAPHQL = re.compile(r"https://mine\.myshopify\.com/admin/api/.*")


@pytest.fixture
def shopify():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as fake:
        yield fake


def defined(shopify, *errors):
    shopify.post(GRAPHQL, json={"data": {"metafieldDefinitionCreate": {"userErrors": list(errors)}}})


def ways(site):
    return {one.platform: one.tags_as for one in site.rows(Connection)}


def released(site, mine, connection_id):
    with transaction(site.engine) as session:
        rehearsal.release(session, mine.shop_id, mine.ids["segment_id"], connection_id)


def test_the_merchant_keeps_segments_in_a_metafield_and_rehearses_again(site, visitor, mine, shopify):
    released(site, mine, mine.store_id)
    defined(shopify)
    answer = visitor.post(f"/connections/{mine.store_id}/tags", way="both")
    assert "Segments are kept as tags and in a metafield of this app." in shown(visitor.said(answer))
    assert ways(site) == {"shopify": "both", "klaviyo": "tags"}
    assert {one.state for one in site.rows(Destination)} == {"rehearsal"}
    [asked] = [json.loads(one.request.body)["variables"]["definition"] for one in shopify.calls]
    assert (asked["ownerType"], asked["access"]) == ("CUSTOMER", {"admin": "MERCHANT_READ"})
    assert 'value="both" selected' in visitor.page("/connections")


def test_only_where_there_is_such_a_field_it_is_offered(visitor, mine):
    page = visitor.page("/connections")
    assert page.count("<select") == 1
    assert visitor.post(f"/connections/{mine.ids['connection_id']}/tags", way="both").status_code == 400
    assert visitor.post(f"/connections/{mine.store_id}/tags", way="elsewhere").status_code == 400


def test_what_the_platform_refuses_is_said_and_changes_nothing(site, visitor, mine, shopify):
    released(site, mine, mine.store_id)
    defined(shopify, {"field": ["definition"], "message": "no", "code": "RESOURCE_TYPE_LIMIT_EXCEEDED"})
    answer = visitor.post(f"/connections/{mine.store_id}/tags", way="metafield")
    assert "It stays as it was: shopify: the metafield cannot be defined" in shown(visitor.said(answer))
    assert ways(site)["shopify"] == "tags"
    assert "live" in {one.state for one in site.rows(Destination)}


def test_a_release_makes_the_audience_too_where_the_box_is_ticked(site, visitor, mine):
    page = visitor.page("/rehearsal")
    assert page.count("make this audience in Shopify too") == 1
    assert "make this audience in Klaviyo too" not in page
    place = f"/segments/{mine.ids['segment_id']}/release"
    visitor.post(f"{place}/{mine.ids['connection_id']}", audience="yes")
    assert site.rows(Audience) == []
    visitor.post(f"{place}/{mine.store_id}", audience="yes")
    assert [(one.connection_id, one.state) for one in site.rows(Audience)] == [(mine.store_id, "wanted")]
    assert "Its segment there is being made." in visitor.page(f"/segments/{mine.ids['segment_id']}/destinations")


def test_without_the_box_none_is_made_until_the_merchant_asks(site, visitor, mine):
    visitor.post(f"/segments/{mine.ids['segment_id']}/release/{mine.store_id}")
    assert site.rows(Audience) == []
    place = f"/segments/{mine.ids['segment_id']}/audience/{mine.store_id}"
    assert "Make it in Shopify too" in visitor.page(f"/segments/{mine.ids['segment_id']}/destinations")
    assert "Delete its segment in Shopify" in visitor.said(visitor.post(place, wanted="yes"))
    assert "Make it in Shopify too" in visitor.said(visitor.post(place))
    assert [one.state for one in site.rows(Audience)] == ["unwanted"]


def test_nobody_elses_connection_can_be_changed(site, visitor):
    other = site.shop("other")
    assert visitor.post(f"/connections/{other.store_id}/tags", way="both").status_code == 404
    place = f"/segments/{other.ids['segment_id']}/audience/{other.store_id}"
    assert visitor.post(place, wanted="yes").status_code == 404
    assert site.rows(Audience) == []
