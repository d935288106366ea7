const FILES = {
  graphql: '/graphiql/graphql.worker.js',
  json: '/graphiql/json.worker.js',
};

globalThis.MonacoEnvironment = {
  getWorker(_id, label) {
    return new Worker(FILES[label] ?? '/graphiql/editor.worker.js', { name: label });
  },
};
