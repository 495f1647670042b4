import { z } from 'zod';
import { CdnOptionsError } from '../cdn.errors.js';
import { freshnessSchema } from './freshness.js';
import { DEFAULT_HASHED_NAME } from './hashed-name.js';
import { RESOURCE_TYPES, UNCHANGING } from './resource-types.js';

const extension = z.string().regex(/^[a-z0-9]+$/, 'write it in small letters and digits, without the dot');
const baseName = z.string().regex(/^[^/\\]+$/, 'give the last part of a path');
/** Field names and values that can not end the line they stand on. */
const headers = z.record(
  z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'this is no name of a header'),
  z.string().regex(/^[\t\x20-\x7e]*$/, 'use printable ASCII on one line'),
);

/** One kind of resource: what belongs to it, and how it is kept and delivered. */
const resourceTypeSchema = z.strictObject({
  /** Of its files. */
  extensions: z.array(extension).default([]),
  /** Whole base names, which count before extensions. */
  names: z.array(baseName).default([]),
  /** Whether it gets smaller by compression; its answers then carry `Vary: Accept-Encoding`. @default false */
  isNegotiable: z.boolean().default(false),
  /** Of a name that stays when the content changes. */
  freshness: freshnessSchema.prefault({}),
  /** Of a name, or a `?v=`, with a hash of the content. @default a year, immutable */
  hashedFreshness: freshnessSchema.prefault(UNCHANGING),
  /** Sent with every answer of the type. */
  headers: headers.default({}),
});

const schema = z.strictObject({
  /** Types by name: new ones, or other fields for a ready one. */
  types: z.record(z.string().regex(/^[A-Za-z]\w*$/), resourceTypeSchema.partial()).default({}),
  /** Sent with every answer. */
  headers: headers.default({ 'X-Content-Type-Options': 'nosniff' }),
  /**
   * Source of the regular expression, for Node and nginx (PCRE), that finds a content hash in a path. Names of a
   * manifest need not match it.
   */
  hashedName: z.string().refine(isRegExp, 'this is no regular expression').default(DEFAULT_HASHED_NAME),
});

export type ResourceTypeInput = z.input<typeof resourceTypeSchema>;
export type ResourceType = Readonly<z.output<typeof resourceTypeSchema>>;
/** What a policy table is made from; every field has a default. */
export type PolicyOptionsInput = z.input<typeof schema>;
/** Parsed options, the ready types included. */
export interface PolicyOptions {
  readonly types: ReadonlyMap<string, ResourceType>;
  readonly headers: Readonly<Record<string, string>>;
  readonly hashedName: string;
}

/** @throws {CdnOptionsError} with every problem at once */
export function parsePolicyOptions(input: PolicyOptionsInput = {}): PolicyOptions {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new CdnOptionsError(z.prettifyError(parsed.error), { cause: parsed.error });
  // The raw input of a type, for its own fields only: a parsed partial has defaults for the others.
  const given = input.types ?? {};
  const names = new Set([...Object.keys(given), ...Object.keys(RESOURCE_TYPES)]);
  const types = new Map(
    [...names].map((name) => [name, resourceTypeSchema.parse({ ...RESOURCE_TYPES[name], ...given[name] })]),
  );
  return { types, headers: parsed.data.headers, hashedName: parsed.data.hashedName };
}

function isRegExp(source: string): boolean {
  try {
    return new RegExp(source) instanceof RegExp;
  } catch {
    return false;
  }
}
