// Reporter for `node --test`: a line per test, what failed in full, and 'N passed, N failed' at the end.
import { inspect } from 'node:util';

export default async function* summary(events) {
  let passed = 0;
  let failed = 0;
  for await (const { type, data } of events) {
    const isSuite = data?.details?.type === 'suite';
    if (type === 'test:pass' && !isSuite && data.skip === undefined) {
      passed += 1;
      yield `ok ${data.name} (${Math.round(data.details.duration_ms)} ms)\n`;
    } else if (type === 'test:pass' && data.skip !== undefined) {
      yield `skipped ${data.name}: ${data.skip}\n`;
    } else if (type === 'test:fail' && !(isSuite && data.details.error?.failureType === 'subtestsFailed')) {
      failed += 1;
      const cause = data.details.error?.cause ?? data.details.error;
      yield `FAILED ${data.name}\n${cause?.stack ?? inspect(cause)}\n`;
    } else if (type === 'test:stderr' || type === 'test:stdout') {
      yield data.message;
    }
  }
  yield `${passed} passed, ${failed} failed\n`;
}
