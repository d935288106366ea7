import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache } from '@apollo/client';
import { ErrorLink } from '@apollo/client/link/error';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { relayStylePagination } from '@apollo/client/utilities';
import { OperationTypeNode } from 'graphql';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import possibleTypes from './generated/possible-types.ts';

export interface Settings {
  /** Where the server is: http://127.0.0.1:4000 */
  url: string;
  /** An API key, ks_… */
  key?: string;
  /** Told of each error with its code, beside what the caller is told. */
  onError?: (code: string, message: string) => void;
  fetch?: typeof fetch;
}

/** The codes of `extensions.code` in an error of Apollo Client, none if it is not an error of the API. */
export function codes(error: unknown): string[] {
  return CombinedGraphQLErrors.is(error) ? error.errors.map(({ extensions }) => String(extensions?.code)) : [];
}

/** A client with Relay pagination, persisted queries, errors by code, and subscriptions over WebSocket. `close` ends its connection. */
export function makeClient({ url, key, onError, fetch: fetchWith }: Settings) {
  const headers = key ? { authorization: `Bearer ${key}` } : undefined;

  const sockets = createClient({
    url: `${url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: key ? { Authorization: `Bearer ${key}` } : undefined,
    lazy: true,
  });

  const errors = new ErrorLink(({ error }) => {
    if (CombinedGraphQLErrors.is(error)) {
      for (const { message, extensions } of error.errors) {
        onError?.(String(extensions?.code), message);
      }
    }
  });

  const persisted = new PersistedQueryLink({
    sha256: (text: string) => createHash('sha256').update(text).digest('hex'),
  });

  const client = new ApolloClient({
    link: ApolloLink.from([
      errors,
      ApolloLink.split(
        ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
        new GraphQLWsLink(sockets),
        ApolloLink.from([persisted, new HttpLink({ uri: `${url}/graphql`, headers, fetch: fetchWith })]),
      ),
    ]),
    cache: new InMemoryCache({
      possibleTypes: possibleTypes.possibleTypes,
      typePolicies: {
        Query: {
          fields: {
            users: relayStylePagination(['filter', 'orderBy']),
            apiKeys: relayStylePagination(['filter', 'orderBy']),
            teams: relayStylePagination(['filter', 'orderBy']),
            auditEvents: relayStylePagination(['filter']),
          },
        },
        User: { fields: { apiKeys: relayStylePagination(['filter']) } },
        Team: { fields: { members: relayStylePagination(['filter']) } },
      },
    }),
  });

  return Object.assign(client, {
    close: async () => {
      client.stop();
      await sockets.dispose();
    },
  });
}
