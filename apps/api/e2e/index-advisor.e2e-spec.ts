import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

interface Round {
  readonly outcome: string;
  readonly problems: readonly { readonly part: string }[];
}

/** Nobody asks for anything here but the schedule. */
describe('the index advisor', () => {
  let platform: Platform;
  let pool: pg.Pool;
  const rounds = async (): Promise<Round[]> =>
    (
      await pool.query<Round>(
        `SELECT outcome, details->'problems' AS problems FROM peregrine_index_rounds WHERE outcome <> 'running' ORDER BY id`,
      )
    ).rows;

  beforeAll(async () => {
    platform = await Platform.start({ workers: 0 });
    pool = new pg.Pool({ connectionString: platform.env['DATABASE_URL'], max: 1 });
  });
  afterAll(async () => {
    await pool?.end();
    await platform?.stop();
  });

  it('has its rounds in the workers, and with the mode off none', async () => {
    const often = { INDEX_ADVISOR_MODE: 'recommend', INDEX_ADVISOR_SCHEDULE: '* * * * * *' };
    const api = platform.spawn('api', often);
    await api.listening();
    expect(await rounds()).toEqual([]);
    const worker = platform.spawn('worker', often);
    await worker.listening();
    await until(async () => (await rounds()).length >= 2);
    for (const { outcome, problems } of await rounds()) {
      expect(outcome).toBe('completed');
      expect(problems.filter((it) => it.part !== 'workload')).toEqual([]);
    }
    await worker.stop('SIGTERM');
    const before = (await rounds()).length;
    const { rows } = await pool.query<{ tables: number }>(
      `SELECT count(*)::int AS tables FROM pg_class WHERE relname LIKE 'peregrine_index_%' AND relkind = 'r'`,
    );
    expect(rows).toEqual([{ tables: 3 }]);
    const off = platform.spawn('worker');
    await off.listening();
    expect((await rounds()).length).toBe(before);
  });

  it('says at the start which setting is wrong', async () => {
    const worker = platform.spawn('worker', {
      INDEX_ADVISOR_MODE: 'often',
      INDEX_ADVISOR_BUILD_HOURS: '25:00-26:00',
      INDEX_ADVISOR_TIME_ZONE: 'Europe/Nowhere',
      INDEX_ADVISOR_SCHEDULE: 'hourly',
    });
    await worker.ended();
    for (const it of ['MODE', 'BUILD_HOURS', 'TIME_ZONE', 'SCHEDULE'])
      expect(worker.output).toContain(`INDEX_ADVISOR_${it}`);
  });
});
