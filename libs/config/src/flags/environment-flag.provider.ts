import {
  ErrorCode,
  type EvaluationContext,
  type JsonValue,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
  type ResolutionDetails,
  StandardResolutionReasons,
} from '@openfeature/server-sdk';
import { isInRollout } from './evaluate-flag.js';
import { type RolloutOverride, type ScopedRollout, withOverride } from './rollout.js';

/** A flag as it is evaluated. */
interface Flag {
  readonly configured: ScopedRollout;
  percent: number;
  /** Undefined when no part differs, which is most often so, and cheaper. */
  scopes: ReadonlyMap<string, number> | undefined;
}

/**
 * OpenFeature provider over rollouts: boolean flags by name, each on for a share of targeting keys. The rollouts come
 * from the environment; an override can stand before them and go again, which OpenFeature hears of as
 * `PROVIDER_CONFIGURATION_CHANGED`. The attribute `scope` of an evaluation context names a part of a feature.
 *
 * Without a targeting key a flag is evaluated under the key `''`: the answer is then the same for all such
 * callers, and on for them from some percentage upwards (metadata `targetingKeyMissing`).
 * An unknown flag gives the default value with `FLAG_NOT_FOUND`, another type with `TYPE_MISMATCH`.
 */
export class EnvironmentFlagProvider implements Provider {
  readonly metadata = { name: 'peregrine-environment' };
  readonly runsOn = 'server';
  readonly events = new OpenFeatureEventEmitter();
  readonly #flags: ReadonlyMap<string, Flag>;

  /** @param rollouts each flag's rollout; a number is its percentage */
  constructor(rollouts: Readonly<Record<string, number | ScopedRollout>>) {
    this.#flags = new Map(
      Object.entries(rollouts).map(([name, it]) => {
        const configured = typeof it === 'number' ? { percent: it, scopes: {} } : it;
        return [name, { configured, ...prepared(configured) }];
      }),
    );
  }

  /** The answer itself, synchronously; undefined when there is no such flag. */
  evaluate(name: string, key: string, scope?: string): boolean | undefined {
    const flag = this.#flags.get(name);
    return flag && isInRollout(name, key, percentOf(flag, scope), scope);
  }

  /** Puts an override before what was configured, in place of an earlier one; undefined takes it away. */
  override(name: string, override: RolloutOverride | undefined): boolean {
    const flag = this.#flags.get(name);
    if (flag === undefined) return false;
    Object.assign(flag, prepared(withOverride(flag.configured, override)));
    this.events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged: [name] });
    return true;
  }

  /** The rollout of the environment, and the one in force; undefined when there is no such flag. */
  describe(
    name: string,
  ): { readonly configured: ScopedRollout; readonly inForce: ScopedRollout } | undefined {
    const flag = this.#flags.get(name);
    if (flag === undefined) return undefined;
    const inForce = { percent: flag.percent, scopes: Object.fromEntries(flag.scopes ?? []) };
    return { configured: flag.configured, inForce };
  }

  resolveBooleanEvaluation(
    flag: string,
    defaultValue: boolean,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<boolean>> {
    const scope = typeof context['scope'] === 'string' ? context['scope'] : undefined;
    const value = this.evaluate(flag, context.targetingKey ?? '', scope);
    const known = this.#flags.get(flag);
    if (value === undefined || known === undefined) return Promise.resolve(notFound(flag, defaultValue));
    const percent = percentOf(known, scope);
    const fixed = percent === 0 || percent === 100;
    return Promise.resolve({
      value,
      variant: value ? 'on' : 'off',
      reason: fixed ? StandardResolutionReasons.STATIC : StandardResolutionReasons.SPLIT,
      flagMetadata: { targetingKeyMissing: context.targetingKey === undefined },
    });
  }

  resolveStringEvaluation(flag: string, defaultValue: string): Promise<ResolutionDetails<string>> {
    return Promise.resolve(this.#mismatch(flag, defaultValue));
  }

  resolveNumberEvaluation(flag: string, defaultValue: number): Promise<ResolutionDetails<number>> {
    return Promise.resolve(this.#mismatch(flag, defaultValue));
  }

  resolveObjectEvaluation<T extends JsonValue>(flag: string, defaultValue: T): Promise<ResolutionDetails<T>> {
    return Promise.resolve(this.#mismatch(flag, defaultValue));
  }

  #mismatch<T>(flag: string, defaultValue: T): ResolutionDetails<T> {
    if (!this.#flags.has(flag)) return notFound(flag, defaultValue);
    return failed(defaultValue, ErrorCode.TYPE_MISMATCH, `The feature flag "${flag}" is a boolean`);
  }
}

function prepared({ percent, scopes }: ScopedRollout): Pick<Flag, 'percent' | 'scopes'> {
  const parts = Object.entries(scopes);
  return { percent, scopes: parts.length === 0 ? undefined : new Map(parts) };
}

function percentOf({ percent, scopes }: Flag, scope: string | undefined): number {
  return scopes === undefined || scope === undefined ? percent : (scopes.get(scope) ?? percent);
}

function notFound<T>(flag: string, defaultValue: T): ResolutionDetails<T> {
  return failed(defaultValue, ErrorCode.FLAG_NOT_FOUND, `There is no feature flag named "${flag}"`);
}

function failed<T>(value: T, errorCode: ErrorCode, errorMessage: string): ResolutionDetails<T> {
  return { value, reason: StandardResolutionReasons.ERROR, errorCode, errorMessage };
}
