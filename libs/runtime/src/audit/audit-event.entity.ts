import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type AuditEventKind } from './audit-event.js';

/** An event as it is read. Only `AuditTrail` adds rows, and nobody changes them. */
@Entity('audit_events')
export class AuditEventRow {
  /** A bigint as text: the order in which they came. */
  @PrimaryColumn('bigint')
  id!: string;

  @Column({ type: 'timestamptz', name: 'occurred_at', precision: 3 })
  occurredAt!: Date;

  @Column('uuid', { name: 'actor_id' })
  actorId!: string;

  /** At that time. */
  @Column('text', { name: 'actor_name' })
  actorName!: string;

  @Column('text')
  action!: string;

  @Column('text')
  subject!: string;

  @Column('text')
  event!: AuditEventKind;

  @Column('text', { nullable: true })
  task!: string | null;

  @Column('text', { name: 'task_id', nullable: true })
  taskId!: string | null;

  @Column('text', { name: 'request_id', nullable: true })
  requestId!: string | null;

  @Column('text', { nullable: true })
  detail!: string | null;
}
