// Stands for parts of Prettier that are never called here: see prettier.js; and the GraphQL worker's formatter has no command bound to it.
export const parsers = undefined;
export const printers = undefined;
export const format = undefined;
