import { graphql } from './generated/index.ts';

export const VIEWER = graphql(`
  query Viewer {
    viewer {
      user {
        id
        username
        role
      }
      apiKey {
        id
        prefix
      }
    }
  }
`);

export const USERS = graphql(`
  query Users($filter: UserFilter, $first: Int!, $after: String) {
    users(filter: $filter, first: $first, after: $after) {
      edges {
        cursor
        node {
          id
          username
          name
          teams(first: 3) {
            nodes {
              id
              slug
            }
          }
        }
      }
      pageInfo {
        endCursor
        hasNextPage
      }
      totalCount
    }
  }
`);

export const USER = graphql(`
  query UserById($id: ID!) {
    user(by: { id: $id }) {
      id
      username
      name
    }
  }
`);

export const CREATE_USER = graphql(`
  mutation CreateUser($input: CreateUserInput!) {
    createUser(input: $input) {
      user {
        id
        username
        name
      }
    }
  }
`);

export const RENAME_USER = graphql(`
  mutation RenameUser($input: UpdateUserInput!) {
    updateUser(input: $input) {
      user {
        id
        name
      }
    }
  }
`);

export const DELETE_USER = graphql(`
  mutation DeleteUser($input: DeleteUserInput!) {
    deleteUser(input: $input) {
      deletedUserId
    }
  }
`);

export const DECISION = graphql(`
  query Decision($privilege: String!, $path: String!) {
    checkPermission(privilege: $privilege, path: $path) {
      allowed
      explanation
      principal {
        __typename
        ... on User {
          id
          username
        }
        ... on ApiKey {
          id
          prefix
        }
        ... on Team {
          id
          slug
        }
      }
    }
  }
`);

export const AUDIT_FEED = graphql(`
  subscription AuditFeed {
    auditEvents {
      id
      action
      target
    }
  }
`);
