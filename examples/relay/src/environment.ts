import { Environment, Network, RecordSource, Store, type FetchFunction } from 'relay-runtime';

/** An environment that asks the server at `url` with the API key `key`. */
export function makeEnvironment(url: string, key: string): Environment {
  const ask: FetchFunction = async ({ text }, variables) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ query: text, variables }),
    });
    const answer = await response.json();
    if (answer.errors?.length) {
      const [{ message, extensions }] = answer.errors;
      throw Object.assign(new Error(message), { code: extensions?.code });
    }
    return answer;
  };
  return new Environment({ network: Network.create(ask), store: new Store(new RecordSource()) });
}
