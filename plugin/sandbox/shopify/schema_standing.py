"""The part of Shopify's schema about customers' subscriptions, companies and store credit."""

from __future__ import annotations

SDL = """
extend type QueryRoot {
  customerSegmentMembers(after: String, first: Int, query: String): CustomerSegmentMemberConnection!
}
extend type Customer {
  companyContactProfiles: [CompanyContact!]!
  productSubscriberStatus: CustomerProductSubscriberStatus!
  storeCreditAccounts(after: String, first: Int): StoreCreditAccountConnection!
}
enum CustomerProductSubscriberStatus { ACTIVE CANCELLED EXPIRED FAILED NEVER_SUBSCRIBED PAUSED }
type CompanyContact implements Node { id: ID! company: Company! }
type Company implements Node { id: ID! name: String! }

type CustomerSegmentMemberConnection {
  edges: [CustomerSegmentMemberEdge!]! pageInfo: PageInfo! totalCount: Int!
}
type CustomerSegmentMemberEdge { cursor: String! node: CustomerSegmentMember! }
type CustomerSegmentMember { id: ID! }

type StoreCreditAccount implements Node {
  id: ID!
  balance: MoneyV2!
  transactions(
    after: String, first: Int, reverse: Boolean = false, sortKey: TransactionSortKeys = CREATED_AT
  ): StoreCreditAccountTransactionConnection!
}
type StoreCreditAccountConnection {
  edges: [StoreCreditAccountEdge!]! nodes: [StoreCreditAccount!]! pageInfo: PageInfo!
}
type StoreCreditAccountEdge { cursor: String! node: StoreCreditAccount! }
interface StoreCreditAccountTransaction {
  amount: MoneyV2! balanceAfterTransaction: MoneyV2! createdAt: DateTime!
}
type StoreCreditAccountTransactionConnection {
  edges: [StoreCreditAccountTransactionEdge!]! nodes: [StoreCreditAccountTransaction!]! pageInfo: PageInfo!
}
type StoreCreditAccountTransactionEdge { cursor: String! node: StoreCreditAccountTransaction! }
type StoreCreditAccountCreditTransaction implements Node & StoreCreditAccountTransaction {
  id: ID! amount: MoneyV2! balanceAfterTransaction: MoneyV2! createdAt: DateTime!
  expiresAt: DateTime remainingAmount: MoneyV2!
}
type StoreCreditAccountDebitTransaction implements Node & StoreCreditAccountTransaction {
  id: ID! amount: MoneyV2! balanceAfterTransaction: MoneyV2! createdAt: DateTime!
}
enum TransactionSortKeys { CREATED_AT EXPIRES_AT }
"""
