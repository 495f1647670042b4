import {
  type CanActivate,
  type ExecutionContext,
  ForbiddenException,
  SetMetadata,
  type Type,
  UnauthorizedException,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type FastifyRequest } from 'fastify';
import { OPERATIONS_PATHS } from '../operations-paths.js';
import { ADMIN_SCOPE, type Caller } from './caller.js';
import { type PresentedKey, presentedKey, rememberKey } from './presented-key.js';

const REQUIRED_SCOPE = Symbol('@peregrine/runtime:required-scope');

/** The phase of a request in which its caller is looked up. */
const PHASE = 'auth';

/** The handler, or all of the controller, needs an API key with this scope. */
export const RequiredScope = (scope: string) => SetMetadata(REQUIRED_SCOPE, scope);

type Pending = Promise<void> | undefined;

/**
 * Lets a request in when its API key holds and has the scope of the route. A route without a scope is refused but for
 * probes and figures: nothing is open by mistake. Answers at once, without a promise, when the caller is in memory.
 */
export abstract class KeyGuard implements CanActivate {
  readonly #reflector = new Reflector();
  readonly #scopes = new WeakMap<Type, WeakMap<object, string | undefined>>();

  /** Who holds the key; undefined when nobody does. */
  protected abstract holderOf(key: PresentedKey): Caller | undefined | Promise<Caller | undefined>;

  /** What else must hold for a caller with the scope: throws, or rejects, when it does not. */
  protected abstract check(request: FastifyRequest, caller: Caller): Pending;

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    // `switchToHttp` would make three functions for each request, which cost more than the hash of its key.
    const request = context.getArgByIndex<FastifyRequest>(0);
    const scope = this.#scopeOf(context);
    if (scope === undefined) return OPERATIONS_PATHS.includes(request.routeOptions.url ?? '');
    const pending = request.timing.measure(PHASE, () => this.#admit(request, scope));
    return pending === undefined ? true : pending.then(() => true);
  }

  #admit(request: FastifyRequest, scope: string): Pending {
    const key = presentedKey(request);
    if (key === undefined) {
      throw new UnauthorizedException('Send an API key: the header "Authorization: Bearer <key>"');
    }
    const holder = this.holderOf(key);
    if (holder instanceof Promise) return holder.then((it) => this.#admitCaller(request, scope, it));
    return this.#admitCaller(request, scope, holder);
  }

  #admitCaller(request: FastifyRequest, scope: string, caller: Caller | undefined): Pending {
    if (!caller) throw new UnauthorizedException('The API key is unknown, expired or revoked');
    if (!caller.scopes.includes(scope) && !caller.scopes.includes(ADMIN_SCOPE)) {
      throw new ForbiddenException(`The API key lacks the scope ${scope}`);
    }
    request.caller = caller;
    rememberKey(request);
    return this.check(request, caller);
  }

  /** Metadata does not change; reading it takes as long as the hash of a key. */
  #scopeOf(context: ExecutionContext): string | undefined {
    const [handler, controller] = [context.getHandler(), context.getClass()];
    let ofHandlers = this.#scopes.get(controller);
    if (!ofHandlers) this.#scopes.set(controller, (ofHandlers = new WeakMap()));
    if (ofHandlers.has(handler)) return ofHandlers.get(handler);
    const scope = this.#reflector.getAllAndOverride<string | undefined>(REQUIRED_SCOPE, [
      handler,
      controller,
    ]);
    ofHandlers.set(handler, scope);
    return scope;
  }
}
