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
