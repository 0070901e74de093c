"""The part of Shopify's Admin GraphQL API (2026-10) that the practice shop answers, with its names and nullability."""

from __future__ import annotations

from functools import cache

from graphql import GraphQLSchema, build_schema

from . import schema_audience, schema_bulk, schema_past, schema_standing, schema_writing

# webhook topics that can be subscribed to, by their names in GraphQL
TOPICS = {
    "APP_SCOPES_UPDATE": "app/scopes_update",
    "APP_UNINSTALLED": "app/uninstalled",
    "BULK_OPERATIONS_FINISH": "bulk_operations/finish",
    "CARTS_CREATE": "carts/create",
    "CARTS_UPDATE": "carts/update",
    "CHECKOUTS_CREATE": "checkouts/create",
    "CHECKOUTS_DELETE": "checkouts/delete",
    "CHECKOUTS_UPDATE": "checkouts/update",
    "CUSTOMERS_CREATE": "customers/create",
    "CUSTOMERS_DELETE": "customers/delete",
    "CUSTOMERS_DISABLE": "customers/disable",
    "CUSTOMERS_EMAIL_MARKETING_CONSENT_UPDATE": "customers_email_marketing_consent/update",
    "CUSTOMERS_ENABLE": "customers/enable",
    "CUSTOMERS_MARKETING_CONSENT_UPDATE": "customers_marketing_consent/update",
    "CUSTOMERS_MERGE": "customers/merge",
    "CUSTOMERS_PURCHASING_SUMMARY": "customers/purchasing_summary",
    "CUSTOMERS_UPDATE": "customers/update",
    "CUSTOMER_TAGS_ADDED": "customer.tags_added",
    "CUSTOMER_TAGS_REMOVED": "customer.tags_removed",
    "ORDERS_CANCELLED": "orders/cancelled",
    "ORDERS_CREATE": "orders/create",
    "ORDERS_DELETE": "orders/delete",
    "ORDERS_EDITED": "orders/edited",
    "ORDERS_PAID": "orders/paid",
    "ORDERS_UPDATED": "orders/updated",
    "PRODUCTS_CREATE": "products/create",
    "PRODUCTS_DELETE": "products/delete",
    "PRODUCTS_UPDATE": "products/update",
    "REFUNDS_CREATE": "refunds/create",
}

SDL = """
schema { query: QueryRoot mutation: Mutation }

scalar CountryCode
scalar CurrencyCode
scalar DateTime
scalar Decimal
scalar UnsignedInt64
scalar URL

type QueryRoot {
  currentAppInstallation: AppInstallation!
  customer(id: ID!): Customer
  customerByIdentifier(identifier: CustomerIdentifierInput!): Customer
  customers(
    after: String, first: Int, query: String, reverse: Boolean = false, sortKey: CustomerSortKeys = ID
  ): CustomerConnection!
  customersCount(limit: Int = 10000, query: String): Count
  node(id: ID!): Node
  nodes(ids: [ID!]!): [Node]!
  ordersCount(limit: Int = 10000, query: String): Count
  shop: Shop!
  webhookSubscriptions(
    after: String, first: Int, reverse: Boolean = false, topics: [WebhookSubscriptionTopic!], uri: String
  ): WebhookSubscriptionConnection!
}

type Mutation {
  tagsAdd(id: ID!, tags: [String!]!): TagsAddPayload
  tagsRemove(id: ID!, tags: [String!]!): TagsRemovePayload
  webhookSubscriptionCreate(
    topic: WebhookSubscriptionTopic!, webhookSubscription: WebhookSubscriptionInput!
  ): WebhookSubscriptionCreatePayload
  webhookSubscriptionDelete(id: ID!): WebhookSubscriptionDeletePayload
  webhookSubscriptionUpdate(
    id: ID!, webhookSubscription: WebhookSubscriptionInput!
  ): WebhookSubscriptionUpdatePayload
}

interface Node { id: ID! }

type Shop implements Node {
  id: ID!
  name: String!
  email: String!
  myshopifyDomain: String!
  url: URL!
  ianaTimezone: String!
  currencyCode: CurrencyCode!
  enabledPresentmentCurrencies: [CurrencyCode!]!
  plan: ShopPlan!
  primaryDomain: Domain!
}
type ShopPlan { publicDisplayName: String! partnerDevelopment: Boolean! shopifyPlus: Boolean! }
type Domain implements Node { id: ID! host: String! url: URL! }
type AppInstallation implements Node { id: ID! launchUrl: URL! accessScopes: [AccessScope!]! }
type AccessScope { handle: String! description: String! }

type Customer implements Node {
  id: ID!
  legacyResourceId: UnsignedInt64!
  createdAt: DateTime!
  updatedAt: DateTime!
  firstName: String
  lastName: String
  displayName: String!
  locale: String!
  state: CustomerState!
  note: String
  tags: [String!]!
  verifiedEmail: Boolean!
  taxExempt: Boolean!
  dataSaleOptOut: Boolean!
  numberOfOrders: UnsignedInt64!
  amountSpent: MoneyV2!
  defaultEmailAddress: CustomerEmailAddress
  defaultPhoneNumber: CustomerPhoneNumber
  defaultAddress: MailingAddress
}
type CustomerEmailAddress {
  emailAddress: String!
  validFormat: Boolean!
  marketingState: CustomerEmailAddressMarketingState!
  marketingOptInLevel: CustomerMarketingOptInLevel
  marketingUpdatedAt: DateTime
}
type CustomerPhoneNumber { phoneNumber: String! }
type MailingAddress implements Node {
  id: ID!
  address1: String
  city: String
  province: String
  provinceCode: String
  country: String
  countryCodeV2: CountryCode
  zip: String
  latitude: Float
  longitude: Float
  timeZone: String
}
type MoneyV2 { amount: Decimal! currencyCode: CurrencyCode! }
type Count { count: Int! precision: CountPrecision! }
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
type CustomerConnection { edges: [CustomerEdge!]! nodes: [Customer!]! pageInfo: PageInfo! }
type CustomerEdge { cursor: String! node: Customer! }
type UserError { field: [String!] message: String! }
type TagsAddPayload { node: Node userErrors: [UserError!]! }
type TagsRemovePayload { node: Node userErrors: [UserError!]! }

type WebhookSubscription implements Node {
  id: ID!
  legacyResourceId: UnsignedInt64!
  topic: WebhookSubscriptionTopic!
  uri: String!
  format: WebhookSubscriptionFormat!
  filter: String
  includeFields: [String!]!
  metafieldNamespaces: [String!]!
  name: String
  apiVersion: ApiVersion!
  createdAt: DateTime!
  updatedAt: DateTime!
}
type ApiVersion { displayName: String! handle: String! supported: Boolean! }
type WebhookSubscriptionConnection {
  edges: [WebhookSubscriptionEdge!]!
  nodes: [WebhookSubscription!]!
  pageInfo: PageInfo!
}
type WebhookSubscriptionEdge { cursor: String! node: WebhookSubscription! }
type WebhookSubscriptionCreatePayload { webhookSubscription: WebhookSubscription userErrors: [UserError!]! }
type WebhookSubscriptionUpdatePayload { webhookSubscription: WebhookSubscription userErrors: [UserError!]! }
type WebhookSubscriptionDeletePayload { deletedWebhookSubscriptionId: ID userErrors: [UserError!]! }

input CustomerIdentifierInput { id: ID emailAddress: String phoneNumber: String }
input WebhookSubscriptionInput {
  uri: String
  format: WebhookSubscriptionFormat
  includeFields: [String!]
  metafieldNamespaces: [String!]
  name: String
}

enum CountPrecision { AT_LEAST EXACT }
enum CustomerEmailAddressMarketingState { INVALID NOT_SUBSCRIBED PENDING SUBSCRIBED UNSUBSCRIBED }
enum CustomerMarketingOptInLevel { CONFIRMED_OPT_IN SINGLE_OPT_IN UNKNOWN }
enum CustomerSortKeys { ID UPDATED_AT }
enum CustomerState { DECLINED DISABLED ENABLED INVITED }
enum WebhookSubscriptionFormat { JSON }
"""


@cache
def schema() -> GraphQLSchema:
    topics = f"enum WebhookSubscriptionTopic {{ {' '.join(TOPICS)} }}"
    parts = (
        SDL,
        schema_past.SDL,
        schema_bulk.SDL,
        schema_writing.SDL,
        schema_audience.SDL,
        schema_standing.SDL,
        topics,
    )
    return build_schema("\n".join(parts))
