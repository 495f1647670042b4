import { type EnteredPhase } from '@peregrine/metrics';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type ConcurrencyGate, type Place } from '../concurrency/concurrency-gate.js';
import { type RateDecision } from '../rates/rate-policy.js';
import { ProtectedRequest } from './protected-request.js';
import { type RateHooks } from './rate-hooks.js';
import { shapeProblem } from './request-shape.js';
import { type RouteRules } from './route-rules.js';

/** The phase of a request in which it waits to be let in. */
const PHASE = 'limits';

export type Refuse = (error: unknown, request: FastifyRequest, reply: FastifyReply) => void;

/** One request on its way in. */
interface Arrival {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly its: ProtectedRequest;
  readonly phase: EnteredPhase;
  readonly admitted: () => void;
}

/**
 * Lets requests in: shape, then rate, then concurrency. All in one hook, and without a promise where nothing must be waited
 * for, since every request passes here.
 */
export class Admission {
  constructor(
    private readonly rules: RouteRules,
    private readonly rates: RateHooks | undefined,
    private readonly gate: ConcurrencyGate | undefined,
    private readonly refuse: Refuse,
  ) {}

  /** @param admitted called when the request may go on; else it is answered */
  enter(request: FastifyRequest, reply: FastifyReply, admitted: () => void): void {
    const problem = shapeProblem(request);
    if (problem) return this.refuse(problem, request, reply);
    const rule = this.rules.of(request);
    const its = (request.protection = new ProtectedRequest(request, rule));
    if (rule.isExempt) return admitted();
    const isRated = this.rates?.applyTo(request) === true;
    if (!isRated && (!this.gate || rule.priority === undefined)) return admitted();
    const arrival = { request, reply, its, phase: request.timing.begin(PHASE), admitted };
    if (!isRated || !this.rates) return this.#enterGate(arrival);
    const decision = this.rates.ask(its);
    if (decision instanceof Promise) void decision.then((it) => this.#decided(arrival, it));
    else this.#decided(arrival, decision);
  }

  /** The answer is made; how fast its client reads is not the service's doing. */
  answered(request: FastifyRequest, reply: FastifyReply): void {
    const its = request.protection;
    if (!its) return;
    const { statusCode } = reply;
    this.rates?.learn(its, request, statusCode);
    // What is refused says nothing by its time.
    its.place?.release(statusCode < 400 ? its.rule.kind : undefined);
  }

  #decided(arrival: Arrival, decision: RateDecision): void {
    const refusal = this.rates?.tell(arrival.its, arrival.reply, decision);
    if (refusal) this.#refuse(arrival, refusal);
    else this.#enterGate(arrival);
  }

  #enterGate(arrival: Arrival): void {
    const { gate } = this;
    const { request, its } = arrival;
    const { priority } = its.rule;
    if (!gate || priority === undefined) return this.#admit(arrival);
    try {
      const place = gate.enter(priority, (goAway) => request.timing.whenClosed(goAway));
      if (!(place instanceof Promise)) this.#take(arrival, place);
      else {
        place.then(
          (it) => this.#take(arrival, it),
          (error: unknown) => this.#refuse(arrival, error),
        );
      }
    } catch (error) {
      this.#refuse(arrival, error);
    }
  }

  #take(arrival: Arrival, place: Place): void {
    const { request, reply, its, phase } = arrival;
    // The client may have left in the meantime; then nobody would give the place back.
    if (reply.raw.destroyed) {
      request.timing.end(phase);
      return place.release();
    }
    its.place = place;
    request.timing.whenClosed(() => place.release());
    this.#admit(arrival);
  }

  #admit({ request, phase, admitted }: Arrival): void {
    request.timing.end(phase);
    admitted();
  }

  #refuse({ request, reply, phase }: Arrival, error: unknown): void {
    request.timing.end(phase);
    this.refuse(error, request, reply);
  }
}
