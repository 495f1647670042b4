import { lookup } from 'mrmime';
import { CdnPolicyError } from '../cdn.errors.js';
import { cacheControlOf, cdnCacheControlOf } from './freshness.js';
import { type HeaderPair, lintHeaders } from './policy-linter.js';
import {
  parsePolicyOptions,
  type PolicyOptions,
  type PolicyOptionsInput,
  type ResourceType,
} from './policy.options.js';
import { OTHER_TYPE } from './resource-types.js';

/** How answers of one kind are kept and delivered. */
export interface Policy {
  /** Name of the resource type. */
  readonly type: string;
  /** Whether the name, or `?v=`, holds a hash of the content. */
  readonly isHashed: boolean;
  /** Whether answers depend on Accept-Encoding. */
  readonly isNegotiable: boolean;
  readonly cacheControl: string;
  readonly cdnCacheControl: string;
  /** Undefined for types that do not depend on the request. */
  readonly vary: string | undefined;
  /** All of the above and the further headers of type and table, in the order in which they are sent. */
  readonly headers: readonly HeaderPair[];
}

/** A line of the table: the policies of one resource type, and which files belong to it. */
export interface PolicyRule {
  readonly type: string;
  readonly extensions: readonly string[];
  /** Whole base names, which count before extensions. */
  readonly names: readonly string[];
  /** Of names that stay when the content changes. */
  readonly stable: Policy;
  /** Of names with a hash of the content. */
  readonly hashed: Policy;
}

/** What is known of a resource beside its path. */
export interface ResourceFacts {
  /** True for a name of a manifest and a `?v=` that names the content. @default whether the name looks like it */
  readonly isHashed?: boolean;
}

/**
 * The one place that says how long which resource is kept, by whom, and with which headers. The origin, the generated
 * nginx configuration and the linter read it.
 */
export class PolicyTable {
  /** In order of names; the last one is for what no other type claims. */
  readonly rules: readonly PolicyRule[];
  /** Source of the regular expression for hashed names, for Node and PCRE. */
  readonly hashedName: string;
  readonly #hashedName: RegExp;
  readonly #byName = new Map<string, PolicyRule>();
  readonly #byExtension = new Map<string, PolicyRule>();
  readonly #other: PolicyRule;

  /**
   * @throws {CdnOptionsError} when the options do not fit the schema
   * @throws {CdnPolicyError} when the linter refuses what they would send
   */
  constructor(input: PolicyOptionsInput = {}) {
    const options = parsePolicyOptions(input);
    this.hashedName = options.hashedName;
    this.#hashedName = new RegExp(options.hashedName);
    this.#other = ruleOf(OTHER_TYPE, options);
    const named = [...options.types.keys()].filter((it) => it !== OTHER_TYPE);
    this.rules = [...named.map((it) => ruleOf(it, options)), this.#other];
    for (const rule of this.rules) {
      // The types of the options come first, and the first that claims a name has it.
      for (const name of rule.names) if (!this.#byName.has(name)) this.#byName.set(name, rule);
      for (const it of rule.extensions) if (!this.#byExtension.has(it)) this.#byExtension.set(it, rule);
    }
    const findings = this.rules.flatMap(findingsOf);
    if (findings.length > 0) throw new CdnPolicyError(findings);
  }

  /** The policy for a path: `/` between its parts, decoded, without a query. */
  policyFor(path: string, { isHashed = this.isHashedName(path) }: ResourceFacts = {}): Policy {
    const rule = this.#ruleFor(path);
    return isHashed ? rule.hashed : rule.stable;
  }

  /** Whether the name looks as if it held a hash of the content. */
  isHashedName(path: string): boolean {
    return this.#hashedName.test(path);
  }

  #ruleFor(path: string): PolicyRule {
    const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
    const extension = name.slice(name.lastIndexOf('.') + 1);
    return this.#byName.get(name) ?? this.#byExtension.get(extension) ?? this.#other;
  }
}

/** Media type by extension, with the character set where it is text. JSON and XML say theirs themselves. */
export function mediaTypeOf(path: string): string {
  const type = lookup(path) ?? 'application/octet-stream';
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type;
}

function ruleOf(name: string, { types, headers }: PolicyOptions): PolicyRule {
  const type = types.get(name) as ResourceType;
  return {
    type: name,
    extensions: type.extensions,
    names: type.names,
    stable: policyOf(name, type, headers, false),
    hashed: policyOf(name, type, headers, true),
  };
}

function policyOf(
  name: string,
  type: ResourceType,
  common: Readonly<Record<string, string>>,
  isHashed: boolean,
): Policy {
  const freshness = isHashed ? type.hashedFreshness : type.freshness;
  const cacheControl = cacheControlOf(freshness);
  const cdnCacheControl = cdnCacheControlOf(freshness);
  const vary = type.isNegotiable ? 'Accept-Encoding' : undefined;
  const headers: HeaderPair[] = [
    ['Cache-Control', cacheControl],
    ['CDN-Cache-Control', cdnCacheControl],
    ...(vary === undefined ? [] : [['Vary', vary] as const]),
    ...Object.entries({ ...common, ...type.headers }),
  ];
  return Object.freeze({
    type: name,
    isHashed,
    isNegotiable: type.isNegotiable,
    cacheControl,
    cdnCacheControl,
    vary,
    headers,
  });
}

function findingsOf({ type, stable, hashed }: PolicyRule): string[] {
  return [stable, hashed].flatMap((policy) => {
    const { isHashed, isNegotiable, headers } = policy;
    return lintHeaders({ headers, isHashed, isNegotiable }).map((it) => `type "${type}": ${it.message}`);
  });
}
