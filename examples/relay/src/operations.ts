// Read by relay-compiler alone: what it makes of these is what the tests run.
import { graphql } from 'relay-runtime';

export const createUser = graphql`
  mutation operationsCreateUserMutation($input: CreateUserInput!) {
    createUser(input: $input) {
      user {
        id
        ...Users_user
      }
    }
  }
`;

export const nodes = graphql`
  query operationsNodesQuery($ids: [ID!]!) {
    nodes(ids: $ids) {
      __typename
      id
      ... on User {
        username
      }
      ... on ApiKey {
        prefix
      }
    }
    viewer {
      apiKey {
        id
      }
    }
  }
`;
