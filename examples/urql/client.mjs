import { readFileSync } from 'node:fs';
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { authExchange } from '@urql/exchange-auth';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { persistedExchange } from '@urql/exchange-persisted';
import { buildSchema, introspectionFromSchema } from 'graphql';
import { createClient as createSse } from 'graphql-sse';

const schema = introspectionFromSchema(
  buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'), { assumeValidSDL: true }),
);

/** The codes of an urql error. */
export const codes = (error) => error?.graphQLErrors.map(({ extensions }) => extensions?.code) ?? [];

/**
 * An urql client with a normalised cache, Relay pagination, persisted queries and subscriptions by server-sent events. `key` is the API key;
 * when the server refuses it, `newKey` is asked once for another (a key that was rotated, say).
 */
export function makeClient({ url, key, newKey, fetch: fetchWith }) {
  let current = key;
  return new Client({
    url: `${url}/graphql`,
    preferGetMethod: false,
    ...(fetchWith && { fetch: fetchWith }),
    exchanges: [
      cacheExchange({
        schema,
        keys: { Viewer: () => null, ServerInfo: () => null, PermissionCheck: () => null, EffectivePermission: () => null },
        resolvers: {
          Query: {
            users: relayPagination(),
            user: (_parent, { by }) => (by.id ? { __typename: 'User', id: by.id } : undefined),
          },
        },
        updates: {
          Mutation: {
            deleteUser: ({ deleteUser }, _arguments, cache) => cache.invalidate({ __typename: 'User', id: deleteUser.deletedUserId }),
          },
        },
        optimistic: {
          updateUser: ({ input }) => ({ __typename: 'UpdateUserPayload', user: { __typename: 'User', id: input.id, name: input.name } }),
        },
      }),
      authExchange(async (utilities) => ({
        addAuthToOperation: (operation) =>
          current ? utilities.appendHeaders(operation, { Authorization: `Bearer ${current}` }) : operation,
        didAuthError: (error) => codes(error).includes('UNAUTHENTICATED'),
        refreshAuth: async () => {
          current = (await newKey?.()) ?? current;
        },
      })),
      persistedExchange({ preferGetForPersistedQueries: false }),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query, variables, operationName }) => ({
          subscribe: (sink) => {
            const client = createSse({ url: `${url}/graphql`, headers: () => (current ? { Authorization: `Bearer ${current}` } : {}) });
            return { unsubscribe: client.subscribe({ query: query ?? '', variables, operationName }, sink) };
          },
        }),
      }),
    ],
  });
}
