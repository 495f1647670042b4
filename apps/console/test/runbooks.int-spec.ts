import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Runbook {
  readonly name: string;
  readonly title: string;
  readonly html: string;
}

const RUNBOOKS = fileURLToPath(new URL('../../../docs/runbooks', import.meta.url));
// The build is JavaScript, and has no types.
const { readRunbooks } = (await import(new URL('../runbooks.mjs', import.meta.url).href)) as {
  readRunbooks: (folder: string) => Promise<Runbook[]>;
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'peregrine-runbooks-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('makes every runbook readable, with links that stay within the console', async () => {
  const files = (await readdir(RUNBOOKS)).filter((it) => it !== 'README.md');
  const runbooks = await readRunbooks(RUNBOOKS);
  expect(runbooks.map(({ name }) => `${name}.md`).toSorted()).toEqual(files.toSorted());
  const names = new Set(runbooks.map(({ name }) => name));
  for (const { title, html } of runbooks) {
    expect(title).not.toBe('');
    expect(html.length).toBeGreaterThan(200);
    const links = [...html.matchAll(/href="([^"]*)"/g)].map(([, href = '']) => href);
    for (const href of links) expect(names).toContain(/^#\/runbooks\/([a-z-]+)$/.exec(href)?.[1]);
    // A strict policy would refuse them.
    expect(html).not.toMatch(/ style=| on\w+=|<script|<img/);
  }
});

it('takes no HTML from a text, and no link that leads elsewhere', async () => {
  const text = [
    '# Title',
    '<script>alert(1)</script> <img src=x onerror=alert(1)>',
    '[a](javascript:alert(1)) [b](https://example.org) [c](none.md) [d](title.md#part)',
    '',
    '| a | b |',
    '| :-: | --: |',
    '| 1 | 2 |',
  ];
  await writeFile(join(folder, 'title.md'), text.join('\n'));
  await writeFile(join(folder, 'README.md'), '# Index');
  const [runbook, ...others] = await readRunbooks(folder);
  expect(others).toEqual([]);
  expect(runbook?.title).toBe('Title');
  expect(runbook?.html).not.toMatch(/<script|<img|style=|example\.org"|href="javascript/);
  expect(runbook?.html.match(/href="[^"]*"/g)).toEqual(['href="#/runbooks/title"']);
});
