import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FileService } from '../src/index.js';
import { ContentFixture } from './content-fixture.js';
import { SyncFixture } from './sync-fixture.js';

/** Names that meet each other: a file that becomes a folder, an order that differs between bytes and characters. */
const NAMES = [
  'a',
  'a/b',
  'a/c/d',
  'a.txt',
  'a-b',
  'b',
  'é',
  '日本',
  '\u{1f600}',
  '\u{ff5e}',
  'z z',
  'Z',
] as const;
const CONTENTS = ['', 'one', 'two', 'three', 'x'.repeat(20_000)] as const;

interface Edit {
  side: 'folder' | 'workspace';
  path: string;
  /** Null: it is deleted. */
  content: string | null;
}

const edit = fc.record<Edit>({
  side: fc.constantFrom('folder', 'workspace'),
  path: fc.constantFrom(...NAMES),
  content: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...CONTENTS) },
    { weight: 1, arbitrary: fc.constant(null) },
  ),
});

describe('whatever was changed on both sides', () => {
  let content: ContentFixture;
  beforeAll(async () => {
    content = await ContentFixture.start();
  }, 60_000);
  afterAll(() => content?.stop());

  /** An edit that a file system cannot do, as a file in a file, is none. */
  async function apply(it: SyncFixture, { side, path, content: text }: Edit): Promise<void> {
    if (side === 'folder') {
      await (text === null ? it.remove(path) : it.write(path, text)).catch(() => undefined);
    } else if (text !== null) await content.upload(it.workspace, path, text);
    else {
      const [row] = await content.query<{ id: string }>(
        'SELECT id FROM files WHERE workspace_id = $1 AND path = $2',
        [it.workspace, path],
      );
      if (row) await content.get(FileService).delete(it.workspace, row.id);
    }
  }

  it('both sides are equal after a sync that may delete and overwrite, and the next one finds nothing to do', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(edit, { maxLength: 8 }), { minLength: 1, maxLength: 3 }),
        async (rounds) => {
          const it = await SyncFixture.create(content);
          // A source without a file empties nothing.
          await it.write('kept', 'always there');
          for (const edits of rounds) {
            for (const one of edits) await apply(it, one);
            expect(await it.sync({ deletes: true, overwrites: true })).toMatchObject({
              state: 'completed',
              problems: [],
            });
            expect(await it.mirrored()).toEqual(await it.tree());
            const again = await it.sync({ deletes: true });
            expect(again.counts).toMatchObject({ copied: 0, deleted: 0, conflicts: 0, skipped: 0 });
          }
        },
      ),
      { numRuns: 12 },
    );
  }, 240_000);

  it('a sync that may not overwrite loses nothing that was written in the workspace', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { maxLength: 10 }), async (edits) => {
        const it = await SyncFixture.create(content);
        await it.writeAll({ kept: 'always there', b: 'base', Z: 'base' });
        await it.sync();
        for (const one of edits) await apply(it, one);
        const mine = await it.mirrored();
        await it.sync({ deletes: true });
        const after = await it.mirrored();
        // What nobody but the first sync has written may be replaced.
        for (const [path, text] of Object.entries(mine)) if (text !== 'base') expect(after[path]).toBe(text);
      }),
      { numRuns: 12 },
    );
  }, 240_000);
});
