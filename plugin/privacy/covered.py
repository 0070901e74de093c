"""What every column of every table holds of persons, and what becomes of it when one of them is to be forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["customer", "contact", "order"]


@dataclass(frozen=True)
class Cover:
    """One table: `whose` says by which columns a row is a person's. Each column stands in exactly one of the lists.

    deleted: the person's row goes. blanked: NULL in the person's row, which stays as nobody's. untagged: goes once our
    tags elsewhere are off, by `tagging.ledger.forget`, or at once and, when others were told that the person left, once
    more: by `membership.handovers` and `outgoing.messages`. searched: free text, NULL in every row in which it names
    the person. raw: emptied together in every delivery that names the person. kept: nothing about a buyer.
    """

    whose: Mapping[str, Kind] = field(default_factory=dict)
    deleted: str = ""
    blanked: str = ""
    untagged: str = ""
    searched: str = ""
    raw: str = ""
    kept: str = ""

    @property
    def columns(self) -> list[str]:
        return f"{self.deleted} {self.blanked} {self.untagged} {self.searched} {self.raw} {self.kept}".split()


BY_CUSTOMER: Mapping[str, Kind] = {"customer_id": "customer"}

COVERED: Mapping[str, Cover] = {
    "customers": Cover(
        whose=BY_CUSTOMER,
        deleted="shop_id customer_id guest seen_at record_updated_at created_at email contact email_domain first_name "
        "last_name phone first_sought last_sought last_word phone_sought profile_updated_at language "
        "language_updated_at "
        "countries regions cities postal_codes "
        "time_zone place_x place_y place_z addresses_updated_at "
        "account_status account_updated_at platform_rfm_group spend_tier rated_at deleted_at",
    ),
    "email_addresses": Cover(
        whose={"address": "contact", "customer_id": "customer"},
        deleted="shop_id address customer_id guest claimed_at",
    ),
    "customer_aliases": Cover(
        whose={"alias_id": "customer", "customer_id": "customer"}, deleted="shop_id alias_id customer_id"
    ),
    "consent_changes": Cover(whose=BY_CUSTOMER, deleted="shop_id customer_id channel changed_at state"),
    "tag_changes": Cover(whose=BY_CUSTOMER, deleted="shop_id customer_id folded changed_at tag added"),
    "attribute_definitions": Cover(kept="shop_id key kind label source defined_at holders"),
    "attribute_values": Cover(
        whose=BY_CUSTOMER, deleted="shop_id customer_id key changed_at value value_on month_day number"
    ),
    "standings": Cover(whose=BY_CUSTOMER, deleted="shop_id customer_id name told_at value"),
    "store_credit": Cover(
        whose=BY_CUSTOMER,
        deleted="shop_id account_id changed_at customer_id told_at currency balance_minor next_expiry_at "
        "last_credit_at",
    ),
    "product_versions": Cover(
        kept="shop_id product_id updated_at title vendor product_type category category_id tags collections"
    ),
    # An order's money stays in the shop's figures. Its codes go: shops make them out to persons.
    "orders": Cover(
        whose={"customer_id": "customer", "order_id": "order"},
        blanked="customer_id name discount_codes accepts_marketing countries regions cities postal_codes time_zone "
        "place_x place_y place_z country landing_site campaign referring_site referrer user_agent device browser "
        "operating_system",
        kept="shop_id order_id placed_at updated_at deleted_at cancelled_at test counts financial_status currency "
        "total_minor amount_minor discount_minor refunded_minor refunded source_name channel location_id app_id",
    ),
    "line_items": Cover(
        kept="shop_id order_id line_id product_id variant_id sku title vendor product_vendor product_type product_tags "
        "product_category product_category_id product_collections quantity removed amount_minor",
    ),
    "refunds": Cover(kept="shop_id order_id refund_id refunded_at amount_minor"),
    "refund_lines": Cover(kept="shop_id order_id line_id refund_id refunded_at quantity"),
    "carts": Cover(
        whose=BY_CUSTOMER,
        deleted="shop_id cart_id customer_id buyer_updated_at changed_at abandoned_at completed_at ordered_at "
        "deleted_at total_minor amount_minor currency product_ids products_updated_at",
    ),
    "refetches": Cover(
        whose={"order_id": "order"},
        deleted="shop_id connection_id order_id unless_known asked attempts due_at",
    ),
    "events": Cover(
        whose=BY_CUSTOMER,
        deleted="shop_id source event_id customer_id kind happened_at subject_id subject tags question answer score "
        "properties device browser operating_system machine",
    ),
    "engagements": Cover(searched="error hook_error", kept="shop_id connection_id cursor since_at asked_at hooked_at"),
    "deliveries": Cover(
        raw="headers body error",
        kept="shop_id delivery_id connection_id topic received_at state attempts worked_at",
    ),
    "lanes": Cover(searched="error", kept="shop_id kind due_at fence leased_until failures worked_at"),
    "segments": Cover(
        searched="error objective offer say",
        kept="shop_id segment_id name query tag enabled rewards owner owner_email review version dues due_cause "
        "evaluated_at whole created_at updated_at",
    ),
    "segment_versions": Cover(searched="content", kept="shop_id segment_id version edited_at editor edit restored"),
    "segment_reviews": Cover(searched="error note", kept="shop_id segment_id due_on mailed_at done_at editor"),
    "segment_tests": Cover(whose=BY_CUSTOMER, deleted="shop_id segment_id customer_id inside made_at editor"),
    "snapshots": Cover(kept="shop_id snapshot_id name segment_id segment_name version query taken_at editor size"),
    "snapshot_members": Cover(whose=BY_CUSTOMER, deleted="shop_id snapshot_id customer_id"),
    "memberships": Cover(whose=BY_CUSTOMER, deleted="shop_id segment_id customer_id entered_at cause"),
    "membership_changes": Cover(
        whose={"customer_id": "customer", "former_id": "customer"},
        deleted="shop_id segment_id customer_id run changed_at entered cause former_id",
    ),
    # Whoever follows a segment is told for a few days that somebody left, so that they leave there as well.
    "handovers": Cover(whose=BY_CUSTOMER, untagged="shop_id run segment_id customer_id changed_at entered cause"),
    "pins": Cover(
        whose=BY_CUSTOMER,
        deleted="shop_id segment_id customer_id inside author pinned_at ends_on",
        searched="reason",
    ),
    "ladders": Cover(kept="shop_id ladder_id name grace_days stay_days created_at updated_at"),
    "ladder_levels": Cover(kept="shop_id segment_id ladder_id place"),
    "spells": Cover(whose=BY_CUSTOMER, deleted="shop_id segment_id customer_id met_at lapsed_at"),
    "conflicts": Cover(kept="shop_id one other made_at editor"),
    "segment_sums": Cover(
        kept="shop_id segment_id customers buyers again orders spent_minor refunded days engaged subscribed counted_at"
    ),
    "overlaps": Cover(kept="shop_id one other customers contacts counted_at"),
    "segment_origins": Cover(kept="shop_id segment_id template thresholds query learned_at frozen"),
    "proposals": Cover(kept="shop_id template decided_at editor"),
    "segment_days": Cover(kept="shop_id segment_id day_on size entered left known"),
    "segment_figures": Cover(kept="shop_id segment_id size moved_on entered left"),
    "shop_days": Cover(
        kept="shop_id day_on added orders known minor first_orders first_minor second_orders again_orders again_minor "
        "counted_at next_at"
    ),
    "due_days": Cover(kept="shop_id day_number marks"),
    "rfm_cells": Cover(kept="shop_id recency frequency monetary customers spent_minor scored_at"),
    "stale": Cover(whose=BY_CUSTOMER, deleted="shop_id customer_id marks cause marked_at"),
    "wakes": Cover(whose=BY_CUSTOMER, deleted="shop_id wake_at customer_id"),
    "customer_stats": Cover(
        whose=BY_CUSTOMER,
        deleted="shop_id customer_id orders spent_minor first_order_at last_order_at added_at abandoned_at "
        "email_domain language email_consent sms_consent tags countries regions cities "
        "account_status platform_rfm_group spend_tier average_order_minor largest_order_minor days_between_orders "
        "first_source last_source devices browsers operating_systems sales_channels "
        "rfm_recency rfm_frequency rfm_monetary spend_percentile discount_share "
        "predicted_orders predicted_minor lifetime_minor churn_risk next_order_at",
    ),
    "owned_tags": Cover(kept="shop_id folded tag segment_id"),
    "destinations": Cover(kept="shop_id segment_id connection_id state released_at quiet"),
    "tag_counts": Cover(kept="shop_id connection_id segment_id hour_at added removed"),
    "holds": Cover(
        searched="error",
        kept="shop_id segment_id connection_id held_at since_at added removed size back_asked_at back_at "
        "released_at mailed_at",
    ),
    "audiences": Cover(searched="error", kept="shop_id segment_id connection_id state audience_id name tag changed_at"),
    "platform_tags": Cover(kept="shop_id connection_id folded tag tag_id ours made_at"),
    "look_ups": Cover(untagged="contacts", kept="shop_id connection_id kind endpoint body kept_at"),
    "contacts": Cover(whose={"contact": "contact"}, untagged="shop_id connection_id contact platform_id looked_up_at"),
    "ledger": Cover(whose={"contact": "contact"}, untagged="shop_id connection_id contact folded tag state changed_at"),
    "tag_writes": Cover(
        whose={"contact": "contact"},
        untagged="shop_id written_at connection_id tag contact put_on outcome segment_id why released_at",
        searched="answer",
    ),
    "pushes": Cover(
        whose={"contact": "contact"},
        untagged="shop_id connection_id contact version state attempts changed_at",
        searched="error",
    ),
    "segment_entries": Cover(
        whose={"contact": "contact"},
        untagged="shop_id connection_id event_id contact segment_id entered moved_at attempts told_at",
        searched="error",
    ),
    "read_backs": Cover(searched="cursor", kept="shop_id connection_id whole begun_at ended_at seen lost back gone"),
    "drifts": Cover(whose={"contact": "contact"}, untagged="shop_id connection_id contact folded tag kind seen_at"),
    "jobs": Cover(untagged="changes", kept="shop_id connection_id job sent_at due_at polls"),
    "budgets": Cover(kept="shop_id connection_id endpoint left closed_until"),
    "webhook_endpoints": Cover(
        searched="reason",
        untagged="anew",  # by whom to go on after: if that is the person, it begins anew
        kept="shop_id endpoint_id url sealed segments addresses state read_up_to cut failing_at rotated_at created_at",
    ),
    "webhook_deliveries": Cover(
        searched="error",
        kept="shop_id delivery_id endpoint_id number kind segment_id name tag size passes made_at state attempts "
        "due_at answered sent_at",
    ),
    # Deleted at once; and once more for a few days, until others have been told that somebody left.
    "webhook_members": Cover(whose=BY_CUSTOMER, untagged="shop_id delivery_id customer_id changed_at cause"),
    # A request stays as proof that it came and was answered.
    "data_requests": Cover(
        whose={"customer_id": "customer", "contact": "contact"},
        blanked="customer_id contact",
        kept="shop_id request_id asked_at answered_at",
    ),
    # The list of what is still to be erased: `redaction.work` deletes the row when it is done.
    "redactions": Cover(deleted="shop_id redaction_id customer_ids contacts order_ids asked_at due_at"),
    "redacted": Cover(kept="shop_id digest redacted_at"),  # a keyed hash; whoever has it must know the person already
    # What follows is about merchants and their staff. It goes when the shop itself is to be forgotten.
    "shops": Cover(
        kept="shop_id name platform domain zone currency created_at cart_wait_minutes paid_orders_only tag_prefix "
        "guard_percent guard_contacts alert_email history_at history_since_at scored_at scored_buyers "
        "model_quality evaluated_at ahead_at redacted_at redaction_key setup_digest language steps_put_away_at",
    ),
    "connections": Cover(
        searched="reason",
        kept="shop_id connection_id platform role account sealed version installed_at state practice_origin created_at "
        "tags_as tells_entries leaving_at",
    ),
    "history_parts": Cover(
        searched="note",
        kept="shop_id connection_id task kind place state urgent cursor since_at read_at begun_at ended_at objects "
        "unreadable expected prepared mended mended_ever",
    ),
    "pixels": Cover(searched="error", kept="shop_id connection_id site_key platform_id address"),
    "subscriptions": Cover(kept="shop_id connection_id sealed checked_at put_back ended refused"),
    "rating_runs": Cover(kept="shop_id connection_id cursor begun_at ended_at rated supplied"),
    "routes": Cover(kept="platform address shop_id connection_id"),
    "api_keys": Cover(kept="shop_id key_id name scopes created_at last_used_at revoked_at"),
    "site_keys": Cover(kept="shop_id site_key origins sealed created_at last_used_at revoked_at"),
    "replies": Cover(kept="shop_id key_id request_key digest answered_at answer"),
    "accounts": Cover(
        kept="shop_id account_id email role password_hash session_key code_digest code_until failures locked_until "
        "created_at language"
    ),
    "people_changes": Cover(kept="shop_id changed_at account_id change email role editor"),
    "counters": Cover(kept="shop_id name count"),
}
