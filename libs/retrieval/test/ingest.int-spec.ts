import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EdgeStore } from '../src/index.js';
import { IngestFixture, paragraph } from './ingest-fixture.js';

const TABLES = [
  'retrieval_chunks',
  'retrieval_vectors',
  'retrieval_codes',
  'retrieval_edges',
  'retrieval_documents',
  'retrieval_links',
  'retrieval_entities',
];

let fixture: IngestFixture;
let workspace: string;
beforeAll(async () => {
  fixture = await IngestFixture.start();
}, 120_000);
afterAll(() => fixture?.retrieval.stop());
beforeEach(async () => {
  workspace = await fixture.retrieval.workspace();
  fixture.embedder.take();
});

const sections = (count: number) =>
  Array.from({ length: count }, (_, at) => `## Part ${at}\n\n${paragraph(`p${at}n`)}\n`);
const textsOf = async (documentId: string) => (await fixture.chunks(documentId)).map((it) => it.text);
const counts = () => Promise.all(TABLES.map((it) => fixture.count(it, workspace)));

describe('what is ingested again', () => {
  it('embeds nothing and changes nothing when the text is the same', async () => {
    const text = sections(10).join('\n');
    const id = await fixture.add(workspace, 'a.md', text);
    expect(fixture.embedder.take()).toBe(10);
    const state = () =>
      Promise.all([
        fixture.chunks(id),
        fixture.edges(workspace, 'neighbour'),
        fixture.retrieval.query('SELECT version FROM retrieval_versions WHERE workspace_id = $1', [
          workspace,
        ]),
      ]);
    const before = await state();
    await fixture.ingest(id);
    await fixture.add(workspace, 'a.md', text);
    expect(await state()).toEqual(before);
    expect(fixture.embedder.take()).toBe(0);
  });

  it('embeds the passage of an edited paragraph alone, and keeps the others with their ids', async () => {
    const parts = sections(20);
    const id = await fixture.add(workspace, 'a.md', parts.join('\n'));
    const before = await fixture.chunks(id);
    fixture.embedder.take();
    parts[7] = parts[7]?.replace('p7n50', 'something else') ?? '';
    await fixture.add(workspace, 'a.md', parts.join('\n'));
    expect(fixture.embedder.take()).toBe(1);
    const after = await fixture.chunks(id);
    expect(after.filter((it, at) => it.id !== before[at]?.id)).toEqual([after[7]]);
  });

  it('moves what stands elsewhere now', async () => {
    const parts = sections(6);
    const id = await fixture.add(workspace, 'a.md', parts.join('\n'));
    const before = await fixture.chunks(id);
    fixture.embedder.take();
    await fixture.add(
      workspace,
      'a.md',
      [`## New\n\n${paragraph('new')}\n`, ...parts.toReversed()].join('\n'),
    );
    expect(fixture.embedder.take()).toBe(1);
    expect((await fixture.chunks(id)).slice(1)).toEqual(before.toReversed());
    expect(await fixture.edges(workspace, 'neighbour')).toHaveLength(6);
  });

  it('tells passages of the same text apart by their places', async () => {
    const same = `${paragraph('same', 300)}\n`;
    const id = await fixture.add(workspace, 'a.md', `# A\n\n${same}`);
    await fixture.add(workspace, 'a.md', `# A\n\n${same}\n# A\n\n${same}`);
    const texts = await textsOf(id);
    expect(texts.length).toBeGreaterThan(new Set(texts).size);
    await fixture.add(workspace, 'a.md', '');
    expect(await fixture.chunks(id)).toEqual([]);
  });

  it('is embedded anew by another embedder, and keeps its chunks and edges', async () => {
    const id = await fixture.add(workspace, 'a.md', sections(5).join('\n'));
    const before = [await fixture.chunks(id), await fixture.edges(workspace, 'neighbour')];
    fixture.embedder.take();
    fixture.embedder.id = 'another';
    try {
      const found = async () =>
        (await fixture.retrieval.service.query(workspace, { text: 'p3n7' })).hits.map((it) => it.place);
      expect(await found()).toEqual([]);
      await fixture.ingest(id);
      expect(fixture.embedder.take()).toBe(5 + 1);
      expect(await found()).toContain(3);
      expect([await fixture.chunks(id), await fixture.edges(workspace, 'neighbour')]).toEqual(before);
    } finally {
      fixture.embedder.id = 'counting';
    }
  });
});

describe('edges', () => {
  it('lead from a link to the document, whichever of the two comes first', async () => {
    const to = (name: string) => `# From\n\nsee [it](${name}) there`;
    await fixture.add(workspace, 'docs/early.md', to('../guide/README.md#install'));
    await fixture.add(workspace, 'guide/README.md', sections(2).join('\n'));
    await fixture.add(workspace, 'docs/late.md', to('../guide/'));
    await fixture.add(workspace, 'notes.md', 'as in [[Late]]');
    const links = await fixture.edges(workspace, 'link');
    expect(links.map(({ from, to }) => [from, to])).toEqual([
      ['docs/early.md/0', 'guide/README.md/0'],
      ['docs/late.md/0', 'guide/README.md/0'],
      ['docs/late.md/0', 'notes.md/0'],
    ]);
    expect(links[0]?.weight).toBeCloseTo(0.8);
  });

  it('follow when the document that is linked to begins anew, goes, and comes back', async () => {
    await fixture.add(workspace, 'from.md', `${sections(2).join('\n')}\n[it](to.md)`);
    const to = await fixture.add(workspace, 'to.md', 'the old beginning');
    const links = async () => (await fixture.edges(workspace, 'link')).map((it) => `${it.from} ${it.to}`);
    expect(await links()).toEqual(['from.md/1 to.md/0']);
    await fixture.add(workspace, 'to.md', `# New\n\n${paragraph('new')}\n\n# Old\n\nthe old beginning`);
    expect(await links()).toEqual(['from.md/1 to.md/0']);
    await fixture.retrieval.query('DELETE FROM files WHERE id = $1', [to]);
    expect(await links()).toEqual([]);
    await fixture.add(workspace, 'to.md', 'it is back');
    expect(await links()).toEqual(['from.md/1 to.md/0']);
    await fixture.add(workspace, 'from.md', sections(2).join('\n'));
    expect(await links()).toEqual([]);
  });

  it('join documents that name the same rare thing, and are weaker the more of them there are', async () => {
    const naming = (it: number) =>
      `Number ${it} speaks of Ada Lovelace and of \`only.${it > 1 ? it : 'two'}\`.`;
    for (const it of [0, 1]) await fixture.add(workspace, `${it}.md`, naming(it));
    const [both] = await fixture.edges(workspace, 'entity');
    // Two things, each with a chance of a half.
    expect(both?.weight).toBeCloseTo(0.75);
    await fixture.add(workspace, '2.md', naming(2));
    const three = await fixture.edges(workspace, 'entity');
    expect(three.map((it) => it.weight.toFixed(2))).toEqual(['0.75', '0.33', '0.33']);
  });

  it('make no clique of what everybody names', async () => {
    const ids: string[] = [];
    for (let it = 0; it < 40; it++)
      ids.push(await fixture.write(workspace, `${it}.md`, `${it} by Ada Lovelace`));
    for (const id of ids) await fixture.ingest(id);
    expect((await fixture.edges(workspace, 'entity')).length).toBeLessThanOrEqual(15);
    await fixture.retrieval.query('DELETE FROM retrieval_documents WHERE workspace_id = $1', [workspace]);
    await fixture.ingest(...ids);
    expect(await fixture.edges(workspace, 'entity')).toEqual([]);
  });

  it('are a chain within a file, and leave those of others alone', async () => {
    const id = await fixture.add(workspace, 'a.md', sections(5).join('\n'));
    const names = (await fixture.edges(workspace, 'neighbour')).map((it) => `${it.from} ${it.to}`);
    expect(names).toEqual([0, 1, 2, 3].map((it) => `a.md/${it} a.md/${it + 1}`));
    const [first, , third] = await fixture.chunks(id);
    const own = { from: first?.id ?? '', to: third?.id ?? '', type: 'cites', weight: 1 };
    await fixture.retrieval.get(EdgeStore).link(workspace, [own]);
    await fixture.add(workspace, 'a.md', sections(6).join('\n'));
    expect(await fixture.edges(workspace, 'cites')).toHaveLength(1);
  });

  it('keep the sizes of two hops true, of the neighbours too', async () => {
    await fixture.add(workspace, 'hub.md', 'the hub');
    const sizes = async () => {
      const rows = await fixture.retrieval.query<{ path: string; degree: number; size: number }>(
        `SELECT f.path, d.degree, d.two_hop_size AS size FROM retrieval_degrees d JOIN retrieval_chunks k ON k.id = d.chunk_id
           JOIN files f ON f.id = k.document_id WHERE k.workspace_id = $1 ORDER BY 1`,
        [workspace],
      );
      return Object.fromEntries(rows.map((it) => [it.path, [it.degree, it.size]]));
    };
    for (const it of ['a', 'b', 'c', 'd']) await fixture.add(workspace, `${it}.md`, `${it}: [hub](hub.md)`);
    const spoke = [1, 4];
    expect(await sizes()).toEqual({
      'hub.md': [4, 4],
      'a.md': spoke,
      'b.md': spoke,
      'c.md': spoke,
      'd.md': spoke,
    });
    await fixture.add(workspace, 'd.md', 'd: no link any more');
    expect(await sizes()).toMatchObject({ 'hub.md': [3, 3], 'a.md': [1, 3], 'b.md': [1, 3] });
  });
});

describe('a file that is deleted', () => {
  it('takes all of it along', async () => {
    const a = await fixture.add(workspace, 'a.md', `${sections(3).join('\n')}\n[b](b.md) by Ada Lovelace`);
    const b = await fixture.add(workspace, 'b.md', '[a](a.md) by Ada Lovelace');
    expect((await counts()).every((it) => it > 0)).toBe(true);
    await fixture.retrieval.query('DELETE FROM files WHERE id = ANY ($1::uuid[])', [[a, b]]);
    expect(await counts()).toEqual(TABLES.map(() => 0));
  });

  it('while it is ingested leaves nothing behind', async () => {
    const id = await fixture.write(workspace, 'a.md', sections(3).join('\n'));
    fixture.embedder.before = async () => {
      await fixture.retrieval.query('DELETE FROM files WHERE id = $1', [id]);
    };
    try {
      await fixture.ingest(id);
    } finally {
      fixture.embedder.before = () => undefined;
    }
    expect(await counts()).toEqual(TABLES.map(() => 0));
  });
});

describe('two at once', () => {
  it('of the same file end as one of them', async () => {
    const id = await fixture.write(workspace, 'a.md', sections(12).join('\n'));
    await Promise.all(Array.from({ length: 6 }, () => fixture.ingest(id)));
    expect(await fixture.chunks(id)).toHaveLength(12);
    expect(await fixture.edges(workspace, 'neighbour')).toHaveLength(11);
  });

  it('of which one has the older text end with the newer', async () => {
    const id = await fixture.write(workspace, 'a.md', 'the old text');
    let isFirst = true;
    fixture.embedder.before = async () => {
      if (!isFirst) return;
      isFirst = false;
      await fixture.add(workspace, 'a.md', 'the new text');
    };
    try {
      await fixture.ingest(id);
    } finally {
      fixture.embedder.before = () => undefined;
    }
    expect(await textsOf(id)).toEqual(['the new text']);
  });

  it('that link to each other, while one of them is deleted, do not fail', async () => {
    const names = Array.from({ length: 8 }, (_, at) => `${at}.md`);
    const body = (revision: number) =>
      `${revision} ${names.map((it) => `[x](${it})`).join(' ')} by Ada Lovelace`;
    for (let round = 0; round < 5; round++) {
      const ids = await Promise.all(names.map((it) => fixture.write(workspace, it, body(round))));
      const [gone = '', ...others] = ids;
      await Promise.all([
        ...ids.map((it) => fixture.ingest(it)),
        fixture.ingest(...others.toReversed()),
        fixture.retrieval.query('DELETE FROM files WHERE id = $1', [gone]).catch((error: Error) => {
          // The test's own statement is not run again, as those of the services are.
          expect(error.message).toContain('deadlock');
        }),
      ]);
    }
    for (const it of names) await fixture.add(workspace, it, body(9));
    expect(await fixture.edges(workspace, 'link')).toHaveLength((8 * 7) / 2);
  }, 60_000);
});

describe('an ingest that fails', () => {
  it.each(TABLES)('at %s has written nothing, and does all of it the next time', async (table) => {
    await fixture.add(workspace, 'b.md', 'by Ada Lovelace');
    const before = await counts();
    const id = await fixture.write(workspace, 'a.md', `${sections(3).join('\n')}\n[b](b.md) by Ada Lovelace`);
    await fixture.retrieval.query(
      `CREATE FUNCTION break_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken'; END $$`,
    );
    await fixture.retrieval.query(
      `CREATE TRIGGER break_it AFTER INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION break_it()`,
    );
    try {
      await expect(fixture.ingest(id)).rejects.toThrow('broken');
      expect(await counts()).toEqual(before);
    } finally {
      await fixture.retrieval.query('DROP FUNCTION break_it CASCADE');
    }
    await fixture.ingest(id);
    expect(await fixture.chunks(id)).toHaveLength(3);
    expect(await fixture.edges(workspace, 'link')).toHaveLength(1);
    expect(await fixture.edges(workspace, 'entity')).toHaveLength(1);
  });

  it('because its connection was cut has written nothing either', async () => {
    const id = await fixture.write(workspace, 'a.md', sections(3).join('\n'));
    await fixture.retrieval.query(
      `CREATE FUNCTION cut_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$`,
    );
    await fixture.retrieval.query(
      'CREATE TRIGGER cut_it AFTER INSERT ON retrieval_edges FOR EACH STATEMENT EXECUTE FUNCTION cut_it()',
    );
    try {
      await expect(fixture.ingest(id)).rejects.toThrow();
      expect(await counts()).toEqual(TABLES.map(() => 0));
    } finally {
      await fixture.retrieval.query('DROP FUNCTION cut_it CASCADE');
    }
    await fixture.ingest(id);
    expect(await fixture.chunks(id)).toHaveLength(3);
  });
});

describe('workspaces', () => {
  it('share nothing, whatever the paths and names', async () => {
    const other = await fixture.retrieval.workspace();
    for (const it of [workspace, other]) {
      await fixture.add(it, 'a.md', '[b](b.md) [[b]] by Ada Lovelace');
      await fixture.add(it, 'b.md', 'the other, by Ada Lovelace');
    }
    const crossing = await fixture.retrieval.query(
      `SELECT 1 FROM retrieval_edges e JOIN retrieval_chunks a ON a.id = e.source_id JOIN retrieval_chunks b ON b.id = e.target_id
        WHERE a.workspace_id <> b.workspace_id OR a.workspace_id <> e.workspace_id`,
    );
    expect(crossing).toEqual([]);
    for (const it of [workspace, other]) expect(await fixture.edges(it, 'link')).toHaveLength(1);
    const { hits } = await fixture.retrieval.service.query(workspace, { text: 'Ada Lovelace' });
    expect(hits).toHaveLength(2);
  });
});

it('takes a file of a megabyte, and one that is a single line', async () => {
  // Of few words: PostgreSQL takes a megabyte of different ones at most, and content gives a quarter of that.
  const section = (at: number) => `## Part ${at}\n\nOnly here: only${at}here. ${paragraph('word', 150)}\n`;
  const text = Array.from({ length: 1_000 }, (_, at) => section(at)).join('\n');
  expect(text.length).toBeGreaterThan(1_000_000);
  const id = await fixture.add(workspace, 'large.md', text);
  expect((await fixture.chunks(id)).length).toBeGreaterThan(900);
  const { hits } = await fixture.retrieval.service.query(workspace, { text: 'only777here' });
  expect(hits[0]?.text).toContain('## Part 777');
  const line = await fixture.add(workspace, 'line.md', paragraph('word', 30_000));
  expect((await fixture.chunks(line)).length).toBeGreaterThan(150);
}, 120_000);
