import { Logger } from '@nestjs/common';
import { type Actor, type AuditEventKind, type AuditTrail } from '@peregrine/runtime';
import { type FastifyRequest } from 'fastify';
import { failureOf } from '../problem/failures.js';
import { audit, type AuditEntry } from './console-audit.js';
import { type Outcome } from './console-actions.js';

/** The columns of the audit are no longer. */
const MAX_SUBJECT = 200;
const MAX_INPUT = 500;

const log = new Logger('ConsoleAudit');

/** One attempt of an operator to do something. */
export interface Attempt {
  readonly request: FastifyRequest;
  readonly actor: Actor;
  readonly action: string;
  readonly subject: string;
  /** What it calls tells the trail what was asked for and what came of it. */
  readonly auditsItself: boolean;
}

/**
 * Writes down one deed, twice: as lines of the log, which outlive the database, and as events of the audit trail, which
 * people read. What cannot be written into the trail before is not done; what cannot be written after is in the log.
 */
export class ActionRecord {
  constructor(
    private readonly trail: AuditTrail,
    private readonly attempt: Attempt,
  ) {}

  /** Actions are off. */
  async refused(): Promise<void> {
    this.#line('refused');
    await this.#late('refused', 'Actions are off (CONSOLE_ACTIONS_ENABLED)');
  }

  /** Before it is done. @throws the driver's error: then it must not be done */
  async requested(): Promise<void> {
    if (!this.attempt.auditsItself) await this.#add('requested', this.#input());
  }

  async done({ message, task }: Outcome): Promise<void> {
    this.#line('done', message);
    if (this.attempt.auditsItself) return;
    // The task tells the rest by itself.
    await this.#late(task ? 'requested' : 'succeeded', message, task);
  }

  async failed(error: unknown): Promise<void> {
    const { code, detail } = failureOf(error);
    this.#line('failed', code);
    await this.#late('failed', detail);
  }

  #line(outcome: AuditEntry['outcome'], result?: string): void {
    const { request, actor, action } = this.attempt;
    const entry = { action, outcome, apiKeyId: actor.id, input: request.body };
    audit(request, { ...entry, ...(result !== undefined && { result }) });
  }

  async #late(event: AuditEventKind, detail: string, task?: Outcome['task']): Promise<void> {
    try {
      await this.#add(event, detail, task);
    } catch (error) {
      log.error(`The audit trail lacks an event of ${this.attempt.request.id}: ${failureOf(error).code}`);
    }
  }

  #add(event: AuditEventKind, detail: string, task: Outcome['task'] | null = null): Promise<void> {
    const { request, actor, action, subject } = this.attempt;
    return this.trail.add({
      ...{ actor, action, event, task: task ?? null, detail, requestId: request.id },
      subject: subject.slice(0, MAX_SUBJECT),
    });
  }

  #input(): string {
    return JSON.stringify(this.attempt.request.body ?? {}).slice(0, MAX_INPUT);
  }
}
