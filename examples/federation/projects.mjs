// Another team's subgraph: projects that belong to Keystead's users, teams and keys, of which it knows the ids alone.
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { startStandaloneServer } from '@apollo/server/standalone';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { gql } from 'graphql-tag';

export const typeDefs = gql`
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])

  type Query {
    projects: [Project!]!
  }

  type Project @key(fields: "id") {
    id: ID!
    title: String!
    owner: User!
    team: Team!
    deployedWith: ApiKey!
  }

  type User @key(fields: "id") {
    id: ID!
    projects: [Project!]!
  }

  type Team @key(fields: "id", resolvable: false) {
    id: ID!
  }

  type ApiKey @key(fields: "id", resolvable: false) {
    id: ID!
  }
`;

/** Serves `projects` on a free port. */
export async function startProjects(projects) {
  const resolvers = {
    Query: { projects: () => projects },
    User: { projects: ({ id }) => projects.filter(({ owner }) => owner.id === id) },
  };
  const server = new ApolloServer({
    schema: buildSubgraphSchema({ typeDefs, resolvers }),
    plugins: [ApolloServerPluginInlineTraceDisabled()],
  });
  const { url } = await startStandaloneServer(server, { listen: { host: '127.0.0.1', port: 0 } });
  return { url, stop: () => server.stop() };
}
