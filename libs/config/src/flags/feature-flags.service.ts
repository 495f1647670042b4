import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { type Client, NOOP_PROVIDER, OpenFeature } from '@openfeature/server-sdk';
import type { FeatureFlagName } from '../concerns/feature.settings.js';
import { UnknownFlagError } from '../config.errors.js';
import { EnvironmentFlagProvider } from './environment-flag.provider.js';
import type { FeatureFlagsOptions } from './feature-flags.options.js';
import { FEATURE_FLAGS_OPTIONS } from './feature-flags.tokens.js';
import type { RolloutOverride, ScopedRollout } from './rollout.js';

/** Answers whether a feature is on. Both ways lead to the same evaluation. */
@Injectable()
export class FeatureFlags implements OnModuleInit, OnApplicationShutdown {
  /** OpenFeature client of our domain: details, hooks, evaluation context. Usable once the module is ready. */
  readonly client: Client;
  readonly #domain: string;
  readonly #provider: EnvironmentFlagProvider;

  constructor(@Inject(FEATURE_FLAGS_OPTIONS) options: FeatureFlagsOptions) {
    this.#domain = options.domain;
    this.#provider = new EnvironmentFlagProvider(options.rollouts);
    this.client = OpenFeature.getClient(this.#domain);
  }

  /**
   * Whether the feature is on. Synchronous and without allocation, for hot paths.
   *
   * @param key what a gradual rollout divides by: a workspace id, a path. Without one, the key is `''`: all
   *   such callers get the same answer.
   * @param scope part of the feature, which may have a rollout of its own
   * @throws {UnknownFlagError} when there is no such flag
   */
  isEnabled(flag: FeatureFlagName, key = '', scope?: string): boolean {
    const value = this.#provider.evaluate(flag, key, scope);
    if (value === undefined) throw new UnknownFlagError(flag);
    return value;
  }

  /**
   * Changes a rollout in this process from the next question on; `undefined` returns to the configured one.
   *
   * @throws {UnknownFlagError} when there is no such flag
   */
  override(flag: FeatureFlagName, override: RolloutOverride | undefined): void {
    if (!this.#provider.override(flag, override)) throw new UnknownFlagError(flag);
  }

  /**
   * The rollout that was configured, and the one in force.
   *
   * @throws {UnknownFlagError} when there is no such flag
   */
  describe(flag: FeatureFlagName): { readonly configured: ScopedRollout; readonly inForce: ScopedRollout } {
    const description = this.#provider.describe(flag);
    if (description === undefined) throw new UnknownFlagError(flag);
    return description;
  }

  /** Registers the provider. Called by Nest. */
  async onModuleInit(): Promise<void> {
    await OpenFeature.setProviderAndWait(this.#domain, this.#provider);
  }

  /** Removes the provider, unless another module has taken the domain over since. Called by Nest. */
  async onApplicationShutdown(): Promise<void> {
    if (OpenFeature.getProvider(this.#domain) === this.#provider) {
      await OpenFeature.setProviderAndWait(this.#domain, NOOP_PROVIDER);
    }
  }
}
