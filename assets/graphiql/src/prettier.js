// GraphiQL formats JSON with Prettier's Babel parser, half a megabyte; the JSON parser it has anyway does the same.
import { applyEdits, format as jsonEdits } from 'jsonc-parser';
import { format as prettierFormat } from 'prettier/standalone';

export async function format(text, options) {
  if (options.parser === 'jsonc') {
    return applyEdits(text, jsonEdits(text, undefined, { tabSize: 2, insertSpaces: true, keepLines: false }));
  }
  return prettierFormat(text, options);
}
