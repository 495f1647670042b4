import { Inject, Injectable, NotFoundException, type OnModuleInit } from '@nestjs/common';
import { Cache } from '@peregrine/cache';
import { CdnInvalidation } from '@peregrine/cdn';
import { WorkspaceNotFoundError, WorkspaceService } from '@peregrine/content';
import {
  CursorCodec,
  isForeignKeyViolation,
  keysetPage,
  narrowToPage,
  type Page,
  Transactions,
} from '@peregrine/database';
import { QueryOptimizer } from '@peregrine/query-optimizer';
import { selectColumns } from '@peregrine/query-optimizer/typeorm';
import { type Caller, Callers, type PresentedKey } from '@peregrine/runtime';
import { randomUUIDv7 } from 'node:crypto';
import { apiKeyTag } from '../cdn/edge-headers.js';
import { BOOTSTRAP_ADMIN_KEY } from './access.tokens.js';
import { ApiKey } from './api-key.entity.js';
import { type CreateApiKey, generateKey, hashKey, type Scope } from './api-key.js';

const LISTED = ['id', 'name', 'scopes', 'createdAt', 'expiresAt', 'revokedAt'] as const;

const CALLER_WITH = `
SELECT k.id, k.scopes, k.expires_at AS "expiresAt" FROM api_keys k WHERE k.key_hash = $1 AND k.revoked_at IS NULL`;

interface KeyRow {
  readonly id: string;
  readonly scopes: Scope[];
  readonly expiresAt: Date | null;
}

/** API keys: made once, kept as hashes, checked on every request. */
@Injectable()
export class ApiKeyService implements OnModuleInit {
  readonly #callers: Callers;

  constructor(
    private readonly transactions: Transactions,
    private readonly workspaces: WorkspaceService,
    private readonly cursors: CursorCodec,
    private readonly cdn: CdnInvalidation,
    private readonly optimizer: QueryOptimizer,
    cache: Cache,
    @Inject(BOOTSTRAP_ADMIN_KEY) private readonly bootstrapAdminKey: string | undefined,
  ) {
    this.#callers = new Callers(cache.namespace('access'), (digest) => this.#callerWith(digest));
  }

  /** The first key of an installation comes from its settings; all others are made with it. */
  async onModuleInit(): Promise<void> {
    if (this.bootstrapAdminKey === undefined) return;
    await this.transactions.manager.query(
      `INSERT INTO api_keys (id, name, key_hash, scopes) VALUES ($1, 'bootstrap admin', $2, '{admin}')
       ON CONFLICT (key_hash) DO NOTHING`,
      [randomUUIDv7(), hashKey(this.bootstrapAdminKey)],
    );
  }

  /**
   * @returns the key itself, which is not kept
   * @throws {WorkspaceNotFoundError}
   */
  async create(input: CreateApiKey): Promise<ApiKey & { key: string }> {
    const key = generateKey();
    return this.transactions.run(async (manager) => {
      const [created] = await manager.query<[ApiKey]>(
        `INSERT INTO api_keys AS k (id, name, key_hash, scopes, expires_at) VALUES ($1, $2, $3, $4, $5)
         RETURNING k.id, k.name, k.scopes, k.created_at AS "createdAt", k.expires_at AS "expiresAt",
                   k.revoked_at AS "revokedAt"`,
        [randomUUIDv7(), input.name, hashKey(key), input.scopes, input.expiresAt ?? null],
      );
      for (const workspaceId of input.workspaceIds) await this.grant(created.id, workspaceId);
      return { ...created, key };
    });
  }

  /** @throws {WorkspaceNotFoundError} also when there is no such key */
  async grant(apiKeyId: string, workspaceId: string): Promise<void> {
    try {
      await this.workspaces.grant(workspaceId, apiKeyId);
    } catch (error) {
      if (isForeignKeyViolation(error)) throw new WorkspaceNotFoundError(workspaceId, { cause: error });
      throw error;
    }
  }

  /** Who holds this key; undefined when nobody does any more. At once when it is in memory. */
  authenticate(key: PresentedKey): Caller | undefined | Promise<Caller | undefined> {
    return this.#callers.holderOf(key);
  }

  /** Also of one that is revoked; what an audit calls its holder. */
  async nameOf(apiKeyId: string): Promise<string> {
    const [row] = await this.transactions.manager.query<{ name: string }[]>(
      'SELECT k.name FROM api_keys k WHERE k.id = $1',
      [apiKeyId],
    );
    return row?.name ?? apiKeyId;
  }

  /** Whether the key with this id still has the scope. Asks the primary: for the few requests that carry no key. */
  async holdsScope(apiKeyId: string, scope: Scope): Promise<boolean> {
    const { rows } = await this.optimizer.execute(
      `SELECT 1 FROM api_keys k
        WHERE k.id = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
          AND $2 = ANY (k.scopes)`,
      [apiKeyId, scope],
      { primary: true },
    );
    return rows.length > 0;
  }

  /** Oldest first. */
  list(options: { limit: number; cursor?: string | undefined }): Promise<Page<ApiKey>> {
    return keysetPage<ApiKey>({
      codec: this.cursors,
      scope: 'api-keys',
      limit: options.limit,
      cursor: options.cursor,
      keys: [
        {
          expression: 'k.createdAt',
          cast: 'timestamptz',
          direction: 'ASC',
          value: (row) => row.createdAt.toISOString(),
        },
        { expression: 'k.id', cast: 'uuid', direction: 'ASC', value: (row) => row.id },
      ],
      fetch: (query) => {
        const builder = this.transactions.manager.createQueryBuilder(ApiKey, 'k');
        return selectColumns(narrowToPage(builder, query), LISTED);
      },
    });
  }

  /** From now on the key opens nothing. Revoking twice is no error. */
  async revoke(apiKeyId: string): Promise<void> {
    const purge = { tags: [apiKeyTag(apiKeyId)] };
    const revoked = await this.transactions.run(async (manager) => {
      const [rows] = await manager.query<[{ hash: Buffer }[], number]>(
        `UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1 RETURNING key_hash AS hash`,
        [apiKeyId],
      );
      // With the row: a crash after the commit leaves no CDN that still answers this key.
      if (rows.length > 0) await this.cdn.queueInvalidation(purge);
      return rows[0];
    });
    if (!revoked) throw new NotFoundException(`There is no API key ${apiKeyId}`);
    await this.#callers.forget(revoked.hash.toString('base64url'));
    // Once more, for what a CDN may have fetched before the cache knew.
    await this.cdn.queueInvalidation(purge);
  }

  async #callerWith(digest: string): Promise<Caller | undefined> {
    const hash = Buffer.from(digest, 'base64url');
    // Of a replica a key that was revoked a moment ago might still be had, and would be cached.
    const { rows } = await this.optimizer.execute<KeyRow>(CALLER_WITH, [hash], { primary: true });
    const [row] = rows;
    return row && { apiKeyId: row.id, scopes: row.scopes, expiresAt: row.expiresAt?.getTime() ?? null };
  }
}
