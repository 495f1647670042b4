import { mkdir, mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';

import {
  beginOptimizer,
  BY_CUSTOMER,
  BY_PRODUCT,
  type GivenRecommendation,
  OptimizerSubject,
} from './optimizer-fixture.ts';

jest.setTimeout(120_000);

let subject: OptimizerSubject;
beforeAll(async () => {
  subject = await OptimizerSubject.create();
});
afterEach(() => subject.reset());
afterAll(() => subject.remove());

describe('npm run optimizer', () => {
  describe('recommend', () => {
    it('prints just the recommendations and the rejected candidates for a program', async () => {
      const { code, stdout, stderr } = await subject.run(
        'recommend',
        ...['--statements', subject.statements, '--budget-mb', '10', '--json'],
      );
      expect([code, stderr]).toEqual([0, '']);
      const answer = JSON.parse(stdout) as { recommendations: GivenRecommendation[]; rejected: unknown[] };
      expect(Object.keys(answer)).toEqual(['recommendations', 'rejected']);
      expect(answer.recommendations.map((it) => it.columns).sort()).toEqual([['customer'], ['product']]);
      for (const { statement, reasons, improvement, workload } of answer.recommendations) {
        expect(statement).toMatch(/^CREATE INDEX CONCURRENTLY/);
        expect(reasons).not.toEqual([]);
        expect(improvement.after).toBeLessThan(improvement.before);
        expect([[BY_CUSTOMER], [BY_PRODUCT]]).toContainEqual(workload.map((it) => it.text));
      }
      expect(answer.rejected).toContainEqual(expect.objectContaining({ reason: expect.any(String) }));
      expect(await subject.indexes()).toEqual([]);
    });

    it('has everything it knows with --details', async () => {
      const { stdout } = await subject.run(
        'recommend',
        '--statements',
        subject.statements,
        '--json',
        '--details',
      );
      expect(JSON.parse(stdout)).toMatchObject({ forecast: [{}, {}], skipped: [], statisticsAdvice: [] });
    });

    it('tells a person what each index is for, and what to do next', async () => {
      const { code, stdout } = await subject.run('recommend', '--statements', subject.statements);
      expect(code).toBe(0);
      expect(stdout).toMatch(
        /^2 indexes, \d\.\d MB: planner cost of all statements \d+ → \d+ \(\d+ % less\)/,
      );
      expect(stdout).toContain(`Next: npm run optimizer -- apply --url … --statements ${subject.statements}`);
      expect(stdout).not.toContain(new URL(subject.url).port);
    });

    it('looks for all the others when a file holds no SQL, and says which', async () => {
      const broken = await subject.folderOf({
        'a-broken.sql': 'SELEC 1',
        'b-psql.sql': '\\timing on',
        'c.sql': `\uFEFF${BY_CUSTOMER}`,
        'd-gone.sql': 'SELECT * FROM gone',
        'e-two.sql': 'SELECT 1; SELECT 2;',
        'ignored.txt': 'SELEC 2',
      });
      const { code, stdout, stderr } = await subject.run('recommend', '--statements', broken, '--json');
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ recommendations: [{ columns: ['customer'] }] });
      expect(stderr.trim().split('\n')).toEqual([
        expect.stringMatching(/^Not looked at: a-broken: .* syntax error at or near "SELEC"/),
        expect.stringMatching(/^Not looked at: b-psql: .* syntax error/),
        expect.stringMatching(/^Not looked at: d-gone: .*"gone" does not exist/),
      ]);
    });

    it('writes a migration, and never over a file that is there', async () => {
      const file = join(subject.folder, 'migration.ts');
      const { code } = await subject.run(
        'recommend',
        '--statements',
        subject.statements,
        '--migration',
        file,
      );
      expect(code).toBe(0);
      expect(await readFile(file, 'utf8')).toMatch(/CREATE INDEX CONCURRENTLY[^]*DROP INDEX CONCURRENTLY/);
      const again = await subject.run('recommend', '--statements', subject.statements, '--migration', file);
      expect([again.code, again.stdout]).toEqual([1, '']);
      expect(again.stderr).toContain('EEXIST');
    });

    it('fails where the role may read nothing, with the reason of each statement', async () => {
      const { code, stdout, stderr } = await subject.run(
        'recommend',
        ...['--url', subject.urlOfRole, '--statements', subject.statements, '--json'],
      );
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toEqual({ recommendations: [], rejected: [] });
      expect(stderr).toMatch(/^Not looked at: by-customer: .*permission denied for table purchase/);
    });

    it('says what to do when the database remembers no statements', async () => {
      const { code, stdout, stderr } = await subject.run('recommend', '--json');
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/remembers no statements: .* --statements <folder with \.sql files>/);
    });
  });

  describe('report', () => {
    it('says what is slow and wrong, why, and what to do next', async () => {
      await subject.slowly('SELECT note FROM purchase WHERE customer = 7');
      await subject.pool.query(
        'CREATE INDEX twice_1 ON purchase (product); CREATE INDEX twice_2 ON purchase (product)',
      );
      const { code, stdout, stderr } = await subject.run('report');
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(/^\S+ on PostgreSQL \d+\.\d+, \d+\.\d MB$/m);
      expect(stdout).toMatch(
        /^ {2}1\. 1 calls, mean [\d.,]+ ms.*: purchase\n {5}SELECT note FROM purchase WHERE customer = \$1\n {5}Reads all rows of purchase\.$/m,
      );
      expect(stdout).toMatch(/^purchase +40,000 +\d\.\d MB/m);
      expect(stdout).toMatch(/^duplicate +purchase +twice_[12] +\d\.\d MB +twice_[12] has the same columns/m);
      expect(stdout).toMatch(
        /^ {2}1\. DROP INDEX CONCURRENTLY "public"\."twice_[12]"\n {5}twice_[12] has the same/m,
      );
      expect(stdout).toMatch(/^ {2}2\. npm run optimizer -- recommend$/m);
    });

    it('is one JSON for a program, and changes nothing', async () => {
      const { code, stdout } = await subject.run('report', '--json');
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ slowQueries: [], indexes: { findings: [] }, ledger: [] });
      expect(
        (await subject.pool.query(`SELECT relname FROM pg_class WHERE relname LIKE 'peregrine%'`)).rows,
      ).toEqual([]);
    });

    it('tells a role without rights what it cannot see', async () => {
      const { code, stdout } = await subject.run('report', '--url', subject.urlOfRole);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^Not looked at\n(?: .*\n)* {2}server statistics: .*pg_stat_statements/m);
    });
  });

  describe('with wrong arguments', () => {
    it.each<[string[], RegExp]>([
      [[], /^Usage: npm run optimizer -- <command>/],
      [['fly'], /^There is no command "fly"\.[^]*recommend/],
      [['recommend', '--budget'], /^Unknown option '--budget'\. Run "npm run optimizer -- recommend --help"/],
      [['recommend', 'now'], /^Unexpected argument 'now'/],
      [['recommend', '--url', 'localhost'], /must look like postgres:/],
      [['recommend', '--url', 'http://user:hunter2@localhost'], /must look like postgres:/],
      [['apply', '--data'], /^Option '--data/],
      [['revert', 'x'], /^Give one number of the ledger, or --all/],
      [['revert', '1', '2'], /^Give one number of the ledger, or --all/],
      [['revert', '1', '--all'], /^Give one number of the ledger, or --all/],
      [['report'], /^Which database\? Give --url/],
    ])('%j: what to do, and exit code 2', async (args, message) => {
      const idle = await mkdtemp(join(subject.folder, 'idle-'));
      const where = args.length === 1 && args[0] === 'report' ? ['--data', idle] : [];
      const { code, stdout, stderr } = await beginOptimizer([...args, ...where]).ended;
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(message);
      expect(stderr).not.toMatch(/ {4}at |hunter2/);
    });

    it.each<[string[], (statements: string) => string[], RegExp]>([
      [
        ['--budget-mb', '0'],
        (it) => ['--statements', it],
        /^--budget-mb: given "0", expected a whole number/,
      ],
      [['--budget-mb', '1e3'], (it) => ['--statements', it], /^--budget-mb: given "1e3"/],
      [[], () => ['--statements', '/none/at/all'], /^--statements: ENOENT/],
    ])('%j of a number or a folder', async (args, more, message) => {
      const { code, stdout, stderr } = await subject.run('recommend', ...args, ...more(subject.statements));
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(message);
    });

    it('a folder without a statement, and one with nothing but broken ones', async () => {
      const empty = await subject.folderOf({});
      await mkdir(join(empty, 'directory.sql'));
      const none = await subject.run('recommend', '--statements', empty);
      expect(none).toMatchObject({ code: 2, stdout: '' });
      expect(none.stderr).toMatch(/^--statements: there is no \.sql file with a statement in/);
      const broken = await subject.run(
        'recommend',
        '--statements',
        await subject.folderOf({ 'a.sql': 'SELEC 1' }),
      );
      expect(broken).toMatchObject({ code: 2, stdout: '' });
      expect(broken.stderr).toMatch(/a\.sql: .*syntax error at or near "SELEC"/);
    });
  });

  it.each(['report', 'recommend', 'apply', 'revert'])('%s --help', async (command) => {
    const { code, stdout, stderr } = await beginOptimizer([command, '--help']).ended;
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(new RegExp(`^Usage: npm run optimizer -- ${command}`));
  });

  it.each(['report', 'recommend', 'apply', 'revert'])(
    '%s: says that the server is away, without the password',
    async (command) => {
      const url = 'postgres://someone:hunter2@127.0.0.1:1/shop';
      const { code, stdout, stderr } = await beginOptimizer([command, '--no-build', '--url', url]).ended;
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^PostgreSQL on 127\.0\.0\.1:1\/shop cannot be used: .*ECONNREFUSED/);
      expect(stderr).not.toMatch(/hunter2| {4}at /);
    },
  );
});
