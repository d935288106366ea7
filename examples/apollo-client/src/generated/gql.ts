/* eslint-disable */
import * as types from './graphql';
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';

/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "query Fresh_ { serverInfo { version } }": typeof types.Fresh_Document,
    "\n  query Viewer {\n    viewer {\n      user {\n        id\n        username\n        role\n      }\n      apiKey {\n        id\n        prefix\n      }\n    }\n  }\n": typeof types.ViewerDocument,
    "\n  query Users($filter: UserFilter, $first: Int!, $after: String) {\n    users(filter: $filter, first: $first, after: $after) {\n      edges {\n        cursor\n        node {\n          id\n          username\n          name\n          teams(first: 3) {\n            nodes {\n              id\n              slug\n            }\n          }\n        }\n      }\n      pageInfo {\n        endCursor\n        hasNextPage\n      }\n      totalCount\n    }\n  }\n": typeof types.UsersDocument,
    "\n  query UserById($id: ID!) {\n    user(by: { id: $id }) {\n      id\n      username\n      name\n    }\n  }\n": typeof types.UserByIdDocument,
    "\n  mutation CreateUser($input: CreateUserInput!) {\n    createUser(input: $input) {\n      user {\n        id\n        username\n        name\n      }\n    }\n  }\n": typeof types.CreateUserDocument,
    "\n  mutation RenameUser($input: UpdateUserInput!) {\n    updateUser(input: $input) {\n      user {\n        id\n        name\n      }\n    }\n  }\n": typeof types.RenameUserDocument,
    "\n  mutation DeleteUser($input: DeleteUserInput!) {\n    deleteUser(input: $input) {\n      deletedUserId\n    }\n  }\n": typeof types.DeleteUserDocument,
    "\n  query Decision($privilege: String!, $path: String!) {\n    checkPermission(privilege: $privilege, path: $path) {\n      allowed\n      explanation\n      principal {\n        __typename\n        ... on User {\n          id\n          username\n        }\n        ... on ApiKey {\n          id\n          prefix\n        }\n        ... on Team {\n          id\n          slug\n        }\n      }\n    }\n  }\n": typeof types.DecisionDocument,
    "\n  subscription AuditFeed {\n    auditEvents {\n      id\n      action\n      target\n    }\n  }\n": typeof types.AuditFeedDocument,
};
const documents: Documents = {
    "query Fresh_ { serverInfo { version } }": types.Fresh_Document,
    "\n  query Viewer {\n    viewer {\n      user {\n        id\n        username\n        role\n      }\n      apiKey {\n        id\n        prefix\n      }\n    }\n  }\n": types.ViewerDocument,
    "\n  query Users($filter: UserFilter, $first: Int!, $after: String) {\n    users(filter: $filter, first: $first, after: $after) {\n      edges {\n        cursor\n        node {\n          id\n          username\n          name\n          teams(first: 3) {\n            nodes {\n              id\n              slug\n            }\n          }\n        }\n      }\n      pageInfo {\n        endCursor\n        hasNextPage\n      }\n      totalCount\n    }\n  }\n": types.UsersDocument,
    "\n  query UserById($id: ID!) {\n    user(by: { id: $id }) {\n      id\n      username\n      name\n    }\n  }\n": types.UserByIdDocument,
    "\n  mutation CreateUser($input: CreateUserInput!) {\n    createUser(input: $input) {\n      user {\n        id\n        username\n        name\n      }\n    }\n  }\n": types.CreateUserDocument,
    "\n  mutation RenameUser($input: UpdateUserInput!) {\n    updateUser(input: $input) {\n      user {\n        id\n        name\n      }\n    }\n  }\n": types.RenameUserDocument,
    "\n  mutation DeleteUser($input: DeleteUserInput!) {\n    deleteUser(input: $input) {\n      deletedUserId\n    }\n  }\n": types.DeleteUserDocument,
    "\n  query Decision($privilege: String!, $path: String!) {\n    checkPermission(privilege: $privilege, path: $path) {\n      allowed\n      explanation\n      principal {\n        __typename\n        ... on User {\n          id\n          username\n        }\n        ... on ApiKey {\n          id\n          prefix\n        }\n        ... on Team {\n          id\n          slug\n        }\n      }\n    }\n  }\n": types.DecisionDocument,
    "\n  subscription AuditFeed {\n    auditEvents {\n      id\n      action\n      target\n    }\n  }\n": types.AuditFeedDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 *
 *
 * @example
 * ```ts
 * const query = graphql(`query GetUser($id: ID!) { user(id: $id) { name } }`);
 * ```
 *
 * The query argument is unknown!
 * Please regenerate the types.
 */
export function graphql(source: string): unknown;

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Fresh_ { serverInfo { version } }"): (typeof documents)["query Fresh_ { serverInfo { version } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Viewer {\n    viewer {\n      user {\n        id\n        username\n        role\n      }\n      apiKey {\n        id\n        prefix\n      }\n    }\n  }\n"): (typeof documents)["\n  query Viewer {\n    viewer {\n      user {\n        id\n        username\n        role\n      }\n      apiKey {\n        id\n        prefix\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Users($filter: UserFilter, $first: Int!, $after: String) {\n    users(filter: $filter, first: $first, after: $after) {\n      edges {\n        cursor\n        node {\n          id\n          username\n          name\n          teams(first: 3) {\n            nodes {\n              id\n              slug\n            }\n          }\n        }\n      }\n      pageInfo {\n        endCursor\n        hasNextPage\n      }\n      totalCount\n    }\n  }\n"): (typeof documents)["\n  query Users($filter: UserFilter, $first: Int!, $after: String) {\n    users(filter: $filter, first: $first, after: $after) {\n      edges {\n        cursor\n        node {\n          id\n          username\n          name\n          teams(first: 3) {\n            nodes {\n              id\n              slug\n            }\n          }\n        }\n      }\n      pageInfo {\n        endCursor\n        hasNextPage\n      }\n      totalCount\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query UserById($id: ID!) {\n    user(by: { id: $id }) {\n      id\n      username\n      name\n    }\n  }\n"): (typeof documents)["\n  query UserById($id: ID!) {\n    user(by: { id: $id }) {\n      id\n      username\n      name\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateUser($input: CreateUserInput!) {\n    createUser(input: $input) {\n      user {\n        id\n        username\n        name\n      }\n    }\n  }\n"): (typeof documents)["\n  mutation CreateUser($input: CreateUserInput!) {\n    createUser(input: $input) {\n      user {\n        id\n        username\n        name\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RenameUser($input: UpdateUserInput!) {\n    updateUser(input: $input) {\n      user {\n        id\n        name\n      }\n    }\n  }\n"): (typeof documents)["\n  mutation RenameUser($input: UpdateUserInput!) {\n    updateUser(input: $input) {\n      user {\n        id\n        name\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeleteUser($input: DeleteUserInput!) {\n    deleteUser(input: $input) {\n      deletedUserId\n    }\n  }\n"): (typeof documents)["\n  mutation DeleteUser($input: DeleteUserInput!) {\n    deleteUser(input: $input) {\n      deletedUserId\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Decision($privilege: String!, $path: String!) {\n    checkPermission(privilege: $privilege, path: $path) {\n      allowed\n      explanation\n      principal {\n        __typename\n        ... on User {\n          id\n          username\n        }\n        ... on ApiKey {\n          id\n          prefix\n        }\n        ... on Team {\n          id\n          slug\n        }\n      }\n    }\n  }\n"): (typeof documents)["\n  query Decision($privilege: String!, $path: String!) {\n    checkPermission(privilege: $privilege, path: $path) {\n      allowed\n      explanation\n      principal {\n        __typename\n        ... on User {\n          id\n          username\n        }\n        ... on ApiKey {\n          id\n          prefix\n        }\n        ... on Team {\n          id\n          slug\n        }\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription AuditFeed {\n    auditEvents {\n      id\n      action\n      target\n    }\n  }\n"): (typeof documents)["\n  subscription AuditFeed {\n    auditEvents {\n      id\n      action\n      target\n    }\n  }\n"];

export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}

export type DocumentType<TDocumentNode extends DocumentNode<any, any>> = TDocumentNode extends DocumentNode<  infer TType,  any>  ? TType  : never;