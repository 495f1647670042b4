import { Injectable } from '@nestjs/common';
import { CursorCodec, keysetPage, type Page, Transactions } from '@peregrine/database';

/** Who acts: an API key, with its name at that time. */
export interface Actor {
  readonly id: string;
  readonly name: string;
}

/** `requested` by the actor; then, of what a task did for it, `succeeded` or `failed`. */
export type AuditEventKind = 'requested' | 'succeeded' | 'failed';

export interface NewAuditEvent {
  readonly actor: Actor;
  /** What was asked for: `index.apply`. */
  readonly action: string;
  /** Of what: `index-recommendation/0123456789ab`. */
  readonly subject: string;
  readonly event: AuditEventKind;
  /** Name and id of the task that does it. */
  readonly task: { readonly name: string; readonly id: string };
  /** A sentence for people: what came of it. */
  readonly detail: string | null;
}

export interface AuditEvent extends NewAuditEvent {
  readonly id: string;
  readonly occurredAt: Date;
}

interface Row extends Omit<AuditEvent, 'actor' | 'task'> {
  readonly actorId: string;
  readonly actorName: string;
  readonly task: string;
  readonly taskId: string;
}

const COLUMNS = `id::text, occurred_at AS "occurredAt", actor_id AS "actorId", actor_name AS "actorName", action, subject,
  event, task, task_id AS "taskId", detail`;

/** What operators have done to the running platform, in the table `audit_events`, which only grows. */
@Injectable()
export class AuditTrail {
  constructor(private readonly transactions: Transactions) {}

  /** Belongs to the transaction that is open, if any: what is rolled back was never asked for. */
  async add({ actor, action, subject, event, task, detail }: NewAuditEvent): Promise<void> {
    await this.transactions.manager.query(
      `INSERT INTO audit_events (actor_id, actor_name, action, subject, event, task, task_id, detail)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [actor.id, actor.name, action, subject, event, task.name, task.id, detail],
    );
  }

  /** What was asked for last of a subject. */
  async latestRequest(subject: string): Promise<AuditEvent | undefined> {
    const [row] = await this.transactions.manager.query<Row[]>(
      `SELECT ${COLUMNS} FROM audit_events WHERE subject = $1 AND event = 'requested' ORDER BY id DESC LIMIT 1`,
      [subject],
    );
    return row && toEvent(row);
  }

  /** The newest first. @param codec of the cursors @throws {InvalidCursorError} */
  async list(
    { limit, cursor, subject }: { limit: number; cursor?: string | undefined; subject?: string | undefined },
    codec: CursorCodec,
  ): Promise<Page<AuditEvent>> {
    const page = await keysetPage<Row>({
      codec,
      scope: `audit:${subject ?? ''}`,
      limit,
      ...(cursor !== undefined && { cursor }),
      keys: [{ expression: 'audit_events.id', cast: 'bigint', direction: 'DESC', value: (row) => row.id }],
      firstParameter: 2,
      fetch: ({ where, orderBy, parameters, limit: rows }) =>
        this.transactions.manager.query<Row[]>(
          `SELECT ${COLUMNS} FROM audit_events WHERE ($1::text IS NULL OR subject = $1) AND ${where}
            ORDER BY ${orderBy} LIMIT ${rows}`,
          [subject ?? null, ...parameters],
        ),
    });
    return { ...page, items: page.items.map(toEvent) };
  }
}

function toEvent({ actorId, actorName, task, taskId, ...rest }: Row): AuditEvent {
  return { ...rest, actor: { id: actorId, name: actorName }, task: { name: task, id: taskId } };
}
