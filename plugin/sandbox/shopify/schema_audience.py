"""The part of Shopify's schema about its own view of customers, and about pixels on the shop's pages."""

from __future__ import annotations

SDL = """
scalar JSON

extend type QueryRoot { webPixel(id: ID): WebPixel }
extend type Mutation {
  webPixelCreate(webPixel: WebPixelInput!): WebPixelCreatePayload
  webPixelUpdate(id: ID!, webPixel: WebPixelInput!): WebPixelUpdatePayload
}
extend type Customer { statistics: CustomerStatistics! }

type CustomerStatistics { predictedSpendTier: CustomerPredictedSpendTier rfmGroup: CustomerRfmGroup }

type WebPixel implements Node { id: ID! settings: JSON! }
type WebPixelCreatePayload { userErrors: [ErrorsWebPixelUserError!]! webPixel: WebPixel }
type WebPixelUpdatePayload { userErrors: [ErrorsWebPixelUserError!]! webPixel: WebPixel }
type ErrorsWebPixelUserError { code: ErrorsWebPixelUserErrorCode field: [String!] message: String! }
input WebPixelInput { settings: JSON! }

enum CustomerPredictedSpendTier { HIGH LOW MEDIUM }
enum CustomerRfmGroup {
  ACTIVE ALMOST_LOST AT_RISK CHAMPIONS DORMANT LOYAL NEEDS_ATTENTION NEW PREVIOUSLY_LOYAL PROMISING PROSPECTS
}
enum ErrorsWebPixelUserErrorCode { BLANK INVALID_SETTINGS NOT_FOUND NO_EXTENSION TAKEN UNEXPECTED_ERROR }
"""
