const KEY = 'keystead:key';
// Queries, variables and the history may quote passwords and secrets, so they end with the tab as the key does. Only the looks outlast it.
const LOOKS = new Set(['graphiql:theme', 'graphiql:docExplorerFlex', 'graphiql:editorFlex', 'graphiql:secondaryEditorFlex']);

const place = (name) => (LOOKS.has(name) ? localStorage : sessionStorage);

export const tabStorage = {
  getItem: (name) => place(name).getItem(name),
  setItem: (name, value) => place(name).setItem(name, value),
  removeItem: (name) => place(name).removeItem(name),
  get length() {
    return Object.keys(sessionStorage).filter((name) => name.startsWith('graphiql:')).length;
  },
  clear() {
    for (const name of Object.keys(sessionStorage)) {
      if (name.startsWith('graphiql:')) {
        sessionStorage.removeItem(name);
      }
    }
  },
};

export const readKey = () => sessionStorage.getItem(KEY) ?? '';

export function keepKey(key) {
  if (key) {
    sessionStorage.setItem(KEY, key);
  } else {
    sessionStorage.removeItem(KEY);
  }
}
