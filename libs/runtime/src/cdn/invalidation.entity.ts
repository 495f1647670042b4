import { type Invalidation, type PurgeKind } from '@peregrine/cdn';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A purge as it is listed. Read only: `PostgresInvalidationQueue` writes them. */
@Entity('cdn_invalidations')
export class ListedInvalidation {
  @PrimaryColumn('uuid')
  id!: string;

  /** A bigint as text: the order in which they were asked for. */
  @Column('bigint')
  position!: string;

  @Column('text')
  provider!: string;

  @Column('text')
  kind!: PurgeKind;

  /** A path, a wildcard or a surrogate key; empty for everything. */
  @Column('text')
  value!: string;

  @Column('boolean')
  soft!: boolean;

  @Column('text')
  state!: Invalidation['state'];

  /** How often it was asked for while it was pending. */
  @Column('integer')
  requests!: number;

  /** How often it was sent without success. */
  @Column('integer')
  attempts!: number;

  @Column({ type: 'timestamptz', name: 'requested_at', precision: 3 })
  requestedAt!: Date;

  @Column({ type: 'timestamptz', name: 'not_before' })
  notBefore!: Date;

  @Column({ type: 'timestamptz', name: 'ended_at', precision: 3, nullable: true })
  endedAt!: Date | null;

  @Column('text', { name: 'sent_as', nullable: true })
  sentAs!: PurgeKind | null;

  @Column('boolean', { nullable: true })
  verified!: boolean | null;

  /** The last failure. */
  @Column('text', { nullable: true })
  error!: string | null;
}
