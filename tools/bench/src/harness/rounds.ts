import type { Progress } from './progress.ts';

/**
 * Measures every library once in each round, and starts each round with another one: what else the machine does
 * then falls on all of them alike.
 *
 * @returns the samples of every library, one a round
 */
export async function runRounds<Id extends string, Sample>(
  ids: readonly Id[],
  rounds: number,
  progress: Progress,
  measure: (id: Id) => Promise<Sample>,
): Promise<Map<Id, Sample[]>> {
  const samples = new Map<Id, Sample[]>(ids.map((id) => [id, []]));
  for (let round = 0; round < rounds; round++) {
    await progress.step(`round ${round + 1} of ${rounds}: ${ids.length} libraries`, async () => {
      for (let i = 0; i < ids.length; i++) {
        const id = ids[(i + round) % ids.length];
        if (id === undefined) continue;
        try {
          samples.get(id)?.push(await measure(id));
        } catch (error) {
          throw new Error(`${id} could not be measured`, { cause: error });
        }
      }
    });
  }
  return samples;
}
