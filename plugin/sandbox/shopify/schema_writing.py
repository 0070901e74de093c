"""The part of Shopify's schema about writing much at once: uploads, bulk mutations, metafields and segments."""

from __future__ import annotations

SDL = """
extend type QueryRoot {
  segment(id: ID!): Segment
  segments(
    after: String, first: Int, query: String, reverse: Boolean = false, sortKey: SegmentSortKeys = CREATION_DATE
  ): SegmentConnection!
}

extend type Mutation {
  bulkOperationRunMutation(
    clientIdentifier: String, mutation: String!, stagedUploadPath: String!
  ): BulkOperationRunMutationPayload
  metafieldDefinitionCreate(definition: MetafieldDefinitionInput!): MetafieldDefinitionCreatePayload
  metafieldDefinitionDelete(
    deleteAllAssociatedMetafields: Boolean = false, identifier: MetafieldDefinitionIdentifierInput
  ): MetafieldDefinitionDeletePayload
  metafieldsDelete(metafields: [MetafieldIdentifierInput!]!): MetafieldsDeletePayload
  metafieldsSet(metafields: [MetafieldsSetInput!]!): MetafieldsSetPayload
  segmentCreate(name: String!, query: String!): SegmentCreatePayload
  segmentDelete(id: ID!): SegmentDeletePayload
  segmentUpdate(id: ID!, name: String, query: String): SegmentUpdatePayload
  stagedUploadsCreate(input: [StagedUploadInput!]!): StagedUploadsCreatePayload
}

type BulkOperationRunMutationPayload { bulkOperation: BulkOperation userErrors: [BulkMutationUserError!]! }
type BulkMutationUserError { code: BulkMutationErrorCode field: [String!] message: String! }
type StagedUploadsCreatePayload { stagedTargets: [StagedMediaUploadTarget!] userErrors: [UserError!]! }
type StagedMediaUploadTarget { parameters: [StagedUploadParameter!]! resourceUrl: URL url: URL }
type StagedUploadParameter { name: String! value: String! }

type Metafield implements Node {
  id: ID!
  key: String!
  namespace: String!
  type: String!
  value: String!
  compareDigest: String!
  definition: MetafieldDefinition
  updatedAt: DateTime!
}
type MetafieldIdentifier { key: String! namespace: String! ownerId: ID! }
type MetafieldsSetPayload { metafields: [Metafield!] userErrors: [MetafieldsSetUserError!]! }
type MetafieldsSetUserError { code: MetafieldsSetUserErrorCode elementIndex: Int field: [String!] message: String! }
type MetafieldsDeletePayload { deletedMetafields: [MetafieldIdentifier] userErrors: [UserError!]! }
type MetafieldDefinition implements Node { id: ID! key: String! name: String! namespace: String! }
type MetafieldDefinitionCreatePayload {
  createdDefinition: MetafieldDefinition
  userErrors: [MetafieldDefinitionCreateUserError!]!
}
type MetafieldDefinitionDeletePayload { deletedDefinitionId: ID userErrors: [MetafieldDefinitionDeleteUserError!]! }
type MetafieldDefinitionDeleteUserError {
  code: MetafieldDefinitionDeleteUserErrorCode
  field: [String!]
  message: String!
}
type MetafieldDefinitionCreateUserError {
  code: MetafieldDefinitionCreateUserErrorCode
  field: [String!]
  message: String!
}

type Segment implements Node {
  id: ID!
  name: String!
  query: String!
  creationDate: DateTime!
  lastEditDate: DateTime!
}
type SegmentConnection { edges: [SegmentEdge!]! nodes: [Segment!]! pageInfo: PageInfo! }
type SegmentEdge { cursor: String! node: Segment! }
type SegmentCreatePayload { segment: Segment userErrors: [UserError!]! }
type SegmentUpdatePayload { segment: Segment userErrors: [UserError!]! }
type SegmentDeletePayload { deletedSegmentId: ID userErrors: [UserError!]! }

input StagedUploadInput {
  filename: String!
  fileSize: UnsignedInt64
  httpMethod: StagedUploadHttpMethodType = PUT
  mimeType: String!
  resource: StagedUploadTargetGenerateUploadResource!
}
input MetafieldsSetInput { key: String! namespace: String ownerId: ID! type: String value: String! }
input MetafieldIdentifierInput { key: String! namespace: String! ownerId: ID! }
input MetafieldDefinitionIdentifierInput { key: String! namespace: String ownerType: MetafieldOwnerType! }
input MetafieldDefinitionInput {
  access: MetafieldAccessInput
  capabilities: MetafieldCapabilityCreateInput
  description: String
  key: String!
  name: String!
  namespace: String
  ownerType: MetafieldOwnerType!
  pin: Boolean = false
  type: String!
}
input MetafieldAccessInput { admin: MetafieldAdminAccessInput }
input MetafieldCapabilityCreateInput { adminFilterable: MetafieldCapabilityAdminFilterableInput }
input MetafieldCapabilityAdminFilterableInput { enabled: Boolean! }

enum BulkMutationErrorCode {
  INTERNAL_FILE_SERVER_ERROR INVALID_MUTATION INVALID_STAGED_UPLOAD_FILE LIMIT_REACHED NO_SUCH_FILE
  OPERATION_IN_PROGRESS
}
enum MetafieldAdminAccessInput { MERCHANT_READ MERCHANT_READ_WRITE }
enum MetafieldDefinitionCreateUserErrorCode {
  INVALID INVALID_CAPABILITY OWNER_TYPE_LIMIT_EXCEEDED_FOR_USE_AS_ADMIN_FILTERS TAKEN
}
enum MetafieldDefinitionDeleteUserErrorCode {
  METAFIELD_DEFINITION_IN_USE NOT_FOUND RESERVED_NAMESPACE_ORPHANED_METAFIELDS
}
enum MetafieldOwnerType { CUSTOMER }
enum MetafieldsSetUserErrorCode { BLANK INVALID INVALID_TYPE INVALID_VALUE LESS_THAN_OR_EQUAL_TO TOO_LONG }
enum SegmentSortKeys { CREATION_DATE ID LAST_EDIT_DATE }
enum StagedUploadHttpMethodType { POST PUT }
enum StagedUploadTargetGenerateUploadResource { BULK_MUTATION_VARIABLES FILE }
"""
