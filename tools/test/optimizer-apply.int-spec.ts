import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type pg from 'pg';

import { beginOptimizer, ledgerOf, OptimizerSubject } from './optimizer-fixture.ts';

jest.setTimeout(120_000);

let subject: OptimizerSubject;
beforeAll(async () => {
  subject = await OptimizerSubject.create();
});
afterEach(() => subject.reset());
afterAll(() => subject.remove());

describe('npm run optimizer', () => {
  describe('apply', () => {
    it('builds what a file recommends, measures it by the statements in it, and prints the ledger', async () => {
      const { file } = await subject.advise();
      const applied = await subject.run('apply', '--from', file, '--json');
      expect(applied).toMatchObject({ code: 0, stderr: '' });
      const ledger = ledgerOf(applied);
      expect(ledger.map((it) => it.status)).toEqual(['kept', 'kept']);
      const measured = ledger.flatMap((it) => it.measurements);
      expect(measured.find((it) => it.statement === 'by-customer')).toMatchObject({
        beforeMs: expect.any(Number),
        afterMs: expect.any(Number),
      });
      expect(measured.find((it) => it.statement === 'by-product')).toMatchObject({
        problem: 'the values of its parameters are not known',
      });
      expect(await subject.indexes()).toHaveLength(2);
      const again = ledgerOf(await subject.run('apply', '--from', file, '--json'));
      expect(again.map((it) => it.id)).toEqual(ledger.map((it) => it.id));
      expect(await subject.indexes()).toHaveLength(2);
    });

    it('looks for indexes itself, and tells a person how it went', async () => {
      const { code, stdout } = await subject.run('apply', '--statements', subject.statements);
      expect(code).toBe(0);
      expect(stdout).toMatch(/#1 kept {2}\S+ on public\.purchase, \d\.\d MB, built in \d+\.\d s\n {2}Kept/);
      expect(await subject.indexes()).toHaveLength(2);
    });

    it('says with --dry-run what it would build, and builds nothing', async () => {
      const { file, recommendations } = await subject.advise();
      const { code, stdout } = await subject.run('apply', '--from', file, '--dry-run', '--json');
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toEqual({ planned: recommendations.map((it) => it.statement) });
      expect(await subject.indexes()).toEqual([]);
      expect((await subject.pool.query(`SELECT to_regclass('peregrine_index_ledger') AS it`)).rows).toEqual([
        { it: null },
      ]);
    });

    it.each([
      ['no JSON', 'SELECT 1', /^--from .*: .*JSON/],
      ['another JSON', '{"ledger": []}', /it has no list "recommendations"/],
      ['null', 'null', /it has no list "recommendations"/],
      ['a recommendation that is none', '{"recommendations": [7]}', /recommendation 1 is not as/],
      [
        'a statement that is none',
        '{"recommendations": [{"workload": [{"text": 7}]}]}',
        /recommendation 1 is not/,
      ],
    ])('refuses a file with %s', async (_what, text, message) => {
      const file = join(subject.folder, 'wrong.json');
      await writeFile(file, text);
      const { code, stdout, stderr } = await subject.run('apply', '--from', file);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(message);
    });

    it('refuses an index that was changed into another statement, before anything is built', async () => {
      const { recommendations } = await subject.advise();
      const file = join(subject.folder, 'hostile.json');
      const [first] = recommendations;
      const hostile = [first, { ...first, keys: ['id); DROP TABLE purchase; --'] }];
      await writeFile(file, JSON.stringify({ recommendations: hostile }));
      const { code, stdout, stderr } = await subject.run('apply', '--from', file, '--json');
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^This index cannot be built: /);
      expect(await subject.indexes()).toEqual([]);
    });

    it('says who may build when the role may not', async () => {
      const { file } = await subject.advise();
      await subject.pool.query(
        `GRANT SELECT ON purchase TO ${subject.role}; GRANT CREATE ON SCHEMA public TO ${subject.role}`,
      );
      const refused = await subject.run('apply', '--url', subject.urlOfRole, '--from', file, '--json');
      expect(refused).toMatchObject({ code: 1, stderr: '' });
      expect(ledgerOf(refused).map((it) => [it.status, it.decision])).toEqual([
        ['failed', expect.stringContaining('must be owner of table purchase')],
        ['failed', expect.stringContaining('must be owner of table purchase')],
      ]);
      await subject.pool.query('DROP TABLE peregrine_index_ledger');
      await subject.pool.query(
        `REVOKE CREATE ON SCHEMA public FROM ${subject.role}, PUBLIC; REVOKE ALL ON purchase FROM ${subject.role}`,
      );
      const { code, stdout, stderr } = await subject.run(
        'apply',
        '--url',
        subject.urlOfRole,
        '--from',
        file,
        '--json',
      );
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/permission denied for schema public/);
      expect(stderr).not.toContain('    at ');
    });

    it('undoes a build that Ctrl-C interrupts', async () => {
      const { file } = await subject.advise();
      const blocker = await subject.pool.connect();
      await blocker.query('BEGIN; UPDATE purchase SET note = note WHERE id = 1');
      const { child, ended } = beginOptimizer([
        'apply',
        '--no-build',
        '--url',
        subject.url,
        '--from',
        file,
        '--json',
      ]);
      // The build waits for the transaction above, so it is there for as long as it takes to see it.
      while (!(await isBuilding(subject.pool))) await delay(20);
      child.kill('SIGINT');
      while (await isBuilding(subject.pool)) await delay(20);
      // What is half built can be dropped only when the transaction is over.
      await blocker.query('ROLLBACK');
      blocker.release();
      const interrupted = await ended;
      expect(interrupted.code).toBe(130);
      expect(ledgerOf(interrupted)).toMatchObject([{ status: 'failed' }]);
      expect(await subject.indexes()).toEqual([]);
    });
  });

  describe('revert', () => {
    it('shows the ledger, drops one of its indexes, or all', async () => {
      const { file } = await subject.advise();
      const ledger = ledgerOf(await subject.run('apply', '--from', file, '--json'));
      const [first = '', second = ''] = ledger.map((it) => it.id);
      expect(ledgerOf(await subject.run('revert', '--json')).map((it) => it.id)).toEqual([second, first]);
      const planned = await subject.run('revert', first, '--dry-run');
      expect(planned.stdout).toContain(`Would be dropped:\n\n#${first} kept`);
      expect(await subject.indexes()).toHaveLength(2);
      expect(ledgerOf(await subject.run('revert', first, '--json'))).toMatchObject([
        { id: first, status: 'reverted' },
      ]);
      expect(await subject.indexes()).toHaveLength(1);
      for (const args of [[first], [first, '--dry-run']]) {
        const { code, stdout, stderr } = await subject.run('revert', ...args);
        expect([code, stdout]).toEqual([2, '']);
        expect(stderr).toMatch(/^Nothing to revert: the ledger's entry \d+ says "reverted"/);
      }
      expect(ledgerOf(await subject.run('revert', '--all', '--json'))).toMatchObject([{ id: second }]);
      expect(await subject.indexes()).toEqual([]);
      expect((await subject.run('revert', '--all')).stdout).toMatch(/^Nothing to revert/);
    });

    it('has an empty ledger where nothing was built', async () => {
      expect(await subject.run('revert')).toEqual({
        code: 0,
        stdout: 'The ledger is empty: no index was built on advice.\n',
        stderr: '',
      });
      expect((await subject.run('revert', '7')).code).toBe(2);
    });
  });
});

async function isBuilding(pool: pg.Pool): Promise<boolean> {
  const { rowCount } = await pool.query(
    // The ledger's own primary key is none of the builds that are meant.
    `SELECT FROM pg_stat_progress_create_index
      WHERE datname = current_database() AND command = 'CREATE INDEX CONCURRENTLY'`,
  );
  return rowCount === 1;
}
