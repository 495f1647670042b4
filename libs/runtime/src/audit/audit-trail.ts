import { Injectable } from '@nestjs/common';
import { CursorCodec, keysetPage, narrowToPage, type Page, Transactions } from '@peregrine/database';
import { selectColumns } from '@peregrine/query-optimizer/typeorm';
import { type AuditedTask, type AuditEvent, type NewAuditEvent } from './audit-event.js';
import { AuditEventRow } from './audit-event.entity.js';

const COLUMNS = [
  ...(['id', 'occurredAt', 'actorId', 'actorName', 'action'] as const),
  ...(['subject', 'event', 'task', 'taskId', 'requestId', 'detail'] as const),
] as const;

/** What operators have done to the running platform, in the table `audit_events`, which only grows. */
@Injectable()
export class AuditTrail {
  constructor(private readonly transactions: Transactions) {}

  /** Belongs to the transaction that is open, if any: what is rolled back was never asked for. */
  async add({ actor, action, subject, event, task, requestId, detail }: NewAuditEvent): Promise<void> {
    await this.transactions.manager.query(
      `INSERT INTO audit_events (actor_id, actor_name, action, subject, event, task, task_id, request_id, detail)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [actor.id, actor.name, action, subject, event, task?.name ?? null, task?.id ?? null, requestId, detail],
    );
  }

  /** Which task was asked for last of a subject. */
  async latestRequest(
    subject: string,
  ): Promise<{ id: string; action: string; task: AuditedTask } | undefined> {
    const query = this.transactions.manager
      .createQueryBuilder(AuditEventRow, 'a')
      .where(`a.subject = :subject AND a.event = 'requested' AND a.task IS NOT NULL`, { subject })
      .orderBy('a.id', 'DESC')
      .limit(1);
    const [row] = await selectColumns(query, COLUMNS);
    const { task } = row ? toEvent(row) : { task: null };
    return row && task ? { id: row.id, action: row.action, task } : undefined;
  }

  /** The newest first. @param codec of the cursors @throws {InvalidCursorError} */
  async list(
    { limit, cursor, subject }: { limit: number; cursor?: string | undefined; subject?: string | undefined },
    codec: CursorCodec,
  ): Promise<Page<AuditEvent>> {
    const page = await keysetPage<AuditEventRow>({
      codec,
      scope: `audit:${subject ?? ''}`,
      limit,
      cursor,
      keys: [{ expression: 'a.id', cast: 'bigint', direction: 'DESC', value: (row) => row.id }],
      fetch: (query) => {
        const builder = this.transactions.manager.createQueryBuilder(AuditEventRow, 'a');
        if (subject !== undefined) builder.where('a.subject = :subject', { subject });
        return selectColumns(narrowToPage(builder, query), COLUMNS);
      },
    });
    return { ...page, items: page.items.map(toEvent) };
  }
}

function toEvent({ actorId, actorName, task, taskId, ...rest }: AuditEventRow): AuditEvent {
  return {
    ...rest,
    actor: { id: actorId, name: actorName },
    task: task === null || taskId === null ? null : { name: task, id: taskId },
  };
}
