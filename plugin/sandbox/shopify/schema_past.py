"""The part of Shopify's schema about what a store sells and has sold: products, orders, refunds, checkouts."""

from __future__ import annotations

SDL = """
extend type QueryRoot {
  abandonedCheckouts(
    after: String, first: Int, query: String, reverse: Boolean = false, sortKey: AbandonedCheckoutSortKeys = ID
  ): AbandonedCheckoutConnection!
  order(id: ID!): Order
  orders(
    after: String, first: Int, query: String, reverse: Boolean = false, sortKey: OrderSortKeys = PROCESSED_AT
  ): OrderConnection!
  product(id: ID!): Product
  products(
    after: String, first: Int, query: String, reverse: Boolean = false, sortKey: ProductSortKeys = ID
  ): ProductConnection!
  productsCount(limit: Int = 10000, query: String): Count
  refund(id: ID!): Refund
}

type MoneyBag { presentmentMoney: MoneyV2! shopMoney: MoneyV2! }

extend type Customer {
  metafield(key: String!, namespace: String): Metafield
  addressesV2(after: String, first: Int, reverse: Boolean = false): MailingAddressConnection!
  metafields(
    after: String, first: Int, keys: [String!], namespace: String, reverse: Boolean = false
  ): MetafieldConnection!
}
extend type CustomerPhoneNumber { smsMarketingConsent: CustomerSmsMarketingConsent! }
type CustomerSmsMarketingConsent {
  optInLevel: CustomerMarketingOptInLevel
  state: CustomerMarketingConsentState!
  updatedAt: DateTime
}
type MetafieldConnection { edges: [MetafieldEdge!]! nodes: [Metafield!]! pageInfo: PageInfo! }
type MetafieldEdge { cursor: String! node: Metafield! }
type MailingAddressConnection { edges: [MailingAddressEdge!]! nodes: [MailingAddress!]! pageInfo: PageInfo! }
type MailingAddressEdge { cursor: String! node: MailingAddress! }

type Product implements Node {
  id: ID!
  legacyResourceId: UnsignedInt64!
  title: String!
  handle: String!
  vendor: String!
  productType: String!
  category: TaxonomyCategory
  tags: [String!]!
  collections(after: String, first: Int, reverse: Boolean = false): CollectionConnection!
  createdAt: DateTime!
  updatedAt: DateTime!
}
type Collection implements Node { id: ID! title: String! }
type CollectionConnection { edges: [CollectionEdge!]! nodes: [Collection!]! pageInfo: PageInfo! }
type CollectionEdge { cursor: String! node: Collection! }
type ProductVariant implements Node { id: ID! title: String! sku: String }
type TaxonomyCategory implements Node { id: ID! name: String! fullName: String! }
type ProductConnection { edges: [ProductEdge!]! nodes: [Product!]! pageInfo: PageInfo! }
type ProductEdge { cursor: String! node: Product! }

type Order implements Node {
  id: ID!
  legacyResourceId: UnsignedInt64!
  name: String!
  createdAt: DateTime!
  processedAt: DateTime!
  updatedAt: DateTime!
  cancelledAt: DateTime
  closedAt: DateTime
  test: Boolean!
  displayFinancialStatus: OrderDisplayFinancialStatus
  sourceName: String
  customerAcceptsMarketing: Boolean!
  customerLocale: String
  currencyCode: CurrencyCode!
  tags: [String!]!
  discountCodes: [String!]!
  email: String
  cartToken: String
  checkoutToken: String
  totalPriceSet: MoneyBag!
  currentTotalPriceSet: MoneyBag!
  totalRefundedSet: MoneyBag!
  totalDiscountsSet: MoneyBag
  app: OrderApp
  customer: Customer
  billingAddress: MailingAddress
  shippingAddress: MailingAddress
  customerJourneySummary: CustomerJourneySummary
  lineItems(after: String, first: Int, reverse: Boolean = false): LineItemConnection!
  refunds(first: Int): [Refund!]!
}
type OrderApp { id: ID! name: String! }
type OrderConnection { edges: [OrderEdge!]! nodes: [Order!]! pageInfo: PageInfo! }
type OrderEdge { cursor: String! node: Order! }
type CustomerJourneySummary { ready: Boolean! firstVisit: CustomerVisit lastVisit: CustomerVisit }
type CustomerVisit implements Node { id: ID! landingPage: URL referrerUrl: URL }

type LineItem implements Node {
  id: ID!
  title: String!
  quantity: Int!
  currentQuantity: Int!
  sku: String
  vendor: String
  product: Product
  variant: ProductVariant
  originalUnitPriceSet: MoneyBag!
  discountedUnitPriceSet: MoneyBag!
  totalDiscountSet: MoneyBag!
}
type LineItemConnection { edges: [LineItemEdge!]! nodes: [LineItem!]! pageInfo: PageInfo! }
type LineItemEdge { cursor: String! node: LineItem! }

type Refund implements Node {
  id: ID!
  legacyResourceId: UnsignedInt64!
  createdAt: DateTime
  processedAt: DateTime!
  order: Order!
  totalRefundedSet: MoneyBag!
  refundLineItems(after: String, first: Int, reverse: Boolean = false): RefundLineItemConnection!
  transactions(after: String, first: Int, reverse: Boolean = false): OrderTransactionConnection!
}
type RefundLineItem { id: ID lineItem: LineItem! quantity: Int! subtotalSet: MoneyBag! }
type RefundLineItemConnection { edges: [RefundLineItemEdge!]! nodes: [RefundLineItem!]! pageInfo: PageInfo! }
type RefundLineItemEdge { cursor: String! node: RefundLineItem! }
type OrderTransaction implements Node {
  id: ID!
  kind: OrderTransactionKind!
  status: OrderTransactionStatus!
  amountSet: MoneyBag!
}
type OrderTransactionConnection { edges: [OrderTransactionEdge!]! nodes: [OrderTransaction!]! pageInfo: PageInfo! }
type OrderTransactionEdge { cursor: String! node: OrderTransaction! }

type AbandonedCheckout implements Node {
  id: ID!
  name: String!
  createdAt: DateTime!
  updatedAt: DateTime!
  completedAt: DateTime
  abandonedCheckoutUrl: URL!
  discountCodes: [String!]!
  totalPriceSet: MoneyBag!
  customer: Customer
  lineItems(after: String, first: Int, reverse: Boolean = false): AbandonedCheckoutLineItemConnection!
}
type AbandonedCheckoutConnection { edges: [AbandonedCheckoutEdge!]! nodes: [AbandonedCheckout!]! pageInfo: PageInfo! }
type AbandonedCheckoutEdge { cursor: String! node: AbandonedCheckout! }
type AbandonedCheckoutLineItem implements Node {
  id: ID!
  title: String
  quantity: Int!
  sku: String
  product: Product
  variant: ProductVariant
}
type AbandonedCheckoutLineItemConnection {
  edges: [AbandonedCheckoutLineItemEdge!]!
  nodes: [AbandonedCheckoutLineItem!]!
  pageInfo: PageInfo!
}
type AbandonedCheckoutLineItemEdge { cursor: String! node: AbandonedCheckoutLineItem! }

enum AbandonedCheckoutSortKeys { CREATED_AT ID }
enum CustomerMarketingConsentState { NEVER_SUBSCRIBED PENDING REDACTED SUBSCRIBED UNSUBSCRIBED }
enum OrderDisplayFinancialStatus { AUTHORIZED EXPIRED PAID PARTIALLY_PAID PARTIALLY_REFUNDED PENDING REFUNDED VOIDED }
enum OrderSortKeys { CREATED_AT ID PROCESSED_AT }
enum OrderTransactionKind {
  AUTHORIZATION CAPTURE CHANGE EMV_AUTHORIZATION REFUND SALE SUGGESTED_REFUND VOID
}
enum OrderTransactionStatus { AWAITING_RESPONSE ERROR FAILURE PENDING SUCCESS UNKNOWN }
enum ProductSortKeys { ID }
"""
