import { describeFinding } from '../n-plus-one/n-plus-one-finding.js';
import { type QueryOptimizer } from '../query-optimizer.js';

/**
 * Runs the work and fails when a statement was run for one value after the other in it.
 *
 * @example await expectNoNPlusOne(optimizer, () => request(app).get('/authors'))
 * @returns what the work returns
 * @throws {Error} that names every loop, its line, and what to do
 */
export async function expectNoNPlusOne<T>(
  { detector }: Pick<QueryOptimizer, 'detector'>,
  work: () => Promise<T>,
): Promise<T> {
  const { result, findings } = await detector.watch('the test', work);
  if (findings.length > 0) throw new Error(findings.map(describeFinding).join('\n\n'));
  return result;
}
