import { digestOf } from '@peregrine/runtime';
import { randomBytes } from 'node:crypto';
import { z } from 'zod';

/** What a key may do. `admin` includes the others, and every workspace. */
export const SCOPES = [
  'content:read',
  'content:write',
  'memories:read',
  'memories:write',
  'ai:use',
  'admin',
] as const;
export type Scope = (typeof SCOPES)[number];

/** A new key: a prefix that scanners for leaked secrets can know, and 256 random bits. */
export function generateKey(): string {
  return `pgn_${randomBytes(32).toString('base64url')}`;
}

/** Only this is kept. One round of SHA-256 is enough: a key is random, not a password. */
export function hashKey(key: string): Buffer {
  return Buffer.from(digestOf(key), 'base64url');
}

const nameSchema = z.string().trim().min(1).max(200);

export const createApiKeySchema = z
  .strictObject({
    name: nameSchema,
    scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
    workspaceIds: z
      .array(z.uuid())
      .max(1_000)
      .default([])
      .describe('Workspaces that the key may see from the start'),
    expiresAt: z.iso.datetime().optional().describe('Never, when left out'),
  })
  .meta({ id: 'CreateApiKey' });

export const apiKeySchema = z
  .object({
    id: z.uuid(),
    name: nameSchema,
    scopes: z.array(z.enum(SCOPES)),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable(),
    revokedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'ApiKey' });

export const createdApiKeySchema = apiKeySchema
  .extend({ key: z.string().describe('Shown this once') })
  .meta({ id: 'CreatedApiKey' });

export type CreateApiKey = z.output<typeof createApiKeySchema>;
