/** Who acts: an API key, with its name at that time. */
export interface Actor {
  readonly id: string;
  readonly name: string;
}

/** `requested` by the actor; then what came of it, `succeeded` or `failed`. `refused`: nobody may do it here. */
export type AuditEventKind = 'requested' | 'succeeded' | 'failed' | 'refused';

export interface AuditedTask {
  readonly name: string;
  readonly id: string;
}

export interface NewAuditEvent {
  readonly actor: Actor;
  /** What was asked for: `index.apply`. */
  readonly action: string;
  /** Of what: `index-recommendation/0123456789ab`. */
  readonly subject: string;
  readonly event: AuditEventKind;
  /** Name and id of the task that does it; null: the request does it. */
  readonly task: AuditedTask | null;
  /** Of the HTTP request that asked for it, where that is known: the events of one deed have the same. */
  readonly requestId: string | null;
  /** A sentence for people: what came of it. */
  readonly detail: string | null;
}

export interface AuditEvent extends NewAuditEvent {
  readonly id: string;
  readonly occurredAt: Date;
}
