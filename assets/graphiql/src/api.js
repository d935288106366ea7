import { createGraphiQLFetcher } from '@graphiql/toolkit';

const URL_PATH = '/graphql';

const authorization = (key) => (key ? { Authorization: `Bearer ${key}` } : {});

function subscriptionUrl() {
  const url = new URL(URL_PATH, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

function fetcherWith(headers) {
  return createGraphiQLFetcher({
    url: URL_PATH,
    headers,
    subscriptionUrl: subscriptionUrl(),
    wsConnectionParams: headers,
    enableIncrementalDelivery: false,
  });
}

/** A GraphiQL fetcher that sends `key` with every request, unless the headers editor has an Authorization of its own. */
export function fetcherFor(key) {
  const bare = fetcherWith({});
  const keyed = fetcherWith(authorization(key));
  return (params, options) => {
    const own = Object.keys(options?.headers ?? {}).some((name) => name.toLowerCase() === 'authorization');
    return (own ? bare : keyed)(params, options);
  };
}

async function viewer(key) {
  const response = await fetch(URL_PATH, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json;q=0.9',
      ...authorization(key),
    },
    body: JSON.stringify({ query: '{ viewer { user { username role } apiKey { name prefix } } }' }),
  });
  return response.json();
}

/** Who is signed in by a cookie, in words: `{ text, refused }`; null for nobody. */
export async function whoIsSignedIn() {
  try {
    const { data } = await viewer('');
    const user = data?.viewer?.user;
    return user ? { text: `${user.username} (${user.role}), signed in`, refused: false } : null;
  } catch {
    return null;
  }
}

/** Whose key it is, in words: `{ text, refused }`. */
export async function whoHolds(key) {
  try {
    const { data, errors } = await viewer(key);
    if (errors?.length) {
      return { text: errors[0].message, refused: true };
    }
    const user = data?.viewer?.user;
    if (!user) {
      return { text: 'The server does not know this key.', refused: true };
    }
    const apiKey = data.viewer.apiKey;
    return { text: `${user.username} (${user.role})${apiKey ? `, key ${apiKey.prefix}` : ''}`, refused: false };
  } catch (error) {
    return { text: `The server did not answer: ${error.message}`, refused: true };
  }
}
