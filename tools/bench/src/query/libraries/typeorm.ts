import { createQueryOptimizer, type QueryOptimizer } from '@peregrine/query-optimizer';
import { poolDriver, queryResultCache } from '@peregrine/query-optimizer/typeorm';
import { DataSource, EntitySchema } from 'typeorm';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';

import { type FileRow, type Subject, TTL_MS } from './contract.ts';
import { PAGE_ROWS, workspaceOf } from '../table.ts';

interface FileEntity extends FileRow {
  readonly workspaceId: number;
  readonly name: string;
  readonly sizeBytes: number;
}

const fileSchema = new EntitySchema<FileEntity>({
  name: 'file',
  columns: {
    id: { type: 'int', primary: true },
    workspaceId: { type: 'int', name: 'workspace_id' },
    name: { type: 'text' },
    sizeBytes: { type: 'int', name: 'size_bytes' },
    version: { type: 'int' },
  },
});

/** Alone, with its own cache in a table, or on the optimizer. */
export async function openTypeOrm(url: string, kind: 'plain' | 'own cache' | 'peregrine'): Promise<Subject> {
  const optimizer = kind === 'peregrine' ? await createQueryOptimizer({ connectionString: url }) : undefined;
  const source = new DataSource({
    type: 'postgres',
    url,
    entities: [fileSchema],
    ...cacheOf(kind, optimizer),
  });
  await source.initialize();
  await source.queryResultCache?.synchronize();
  const files = (isCached: boolean) => source.createQueryBuilder(fileSchema, 'f').cache(isCached && TTL_MS);
  const isCached = kind !== 'plain';
  return {
    readOne: async (id) => (await files(isCached).where('f.id = :id', { id }).getOne()) ?? undefined,
    readPage: (workspaceId) =>
      files(isCached)
        .where('f.workspace_id = :workspaceId', { workspaceId })
        .orderBy('f.id')
        .limit(PAGE_ROWS)
        .getMany(),
    write: (id) =>
      source
        .createQueryBuilder()
        .update(fileSchema)
        .set({ version: () => 'version + 1' })
        .where('id = :id AND workspace_id = :workspaceId', { id, workspaceId: workspaceOf(id) })
        .execute(),
    ...(optimizer && { hits: () => optimizer.report().cache.hits }),
    close: async () => {
      await source.destroy();
      await optimizer?.close();
    },
  };
}

function cacheOf(
  kind: 'plain' | 'own cache' | 'peregrine',
  optimizer: QueryOptimizer | undefined,
): Pick<PostgresDataSourceOptions, 'driver' | 'cache'> {
  if (optimizer)
    return { driver: poolDriver(optimizer.pool), cache: { provider: () => queryResultCache(optimizer) } };
  return kind === 'own cache' ? { cache: { type: 'database', duration: TTL_MS } } : {};
}
