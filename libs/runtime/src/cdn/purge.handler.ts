import { Inject, Injectable } from '@nestjs/common';
import { type PurgeDelivery } from '@peregrine/cdn';
import { type TaskContext, type TaskExecutor, TaskHandler, type TaskPayload } from '@peregrine/task-queue';
import { deliverPurges } from './purge.tasks.js';
import { PURGE_DELIVERIES } from './purge.tokens.js';
import { TaskPurgeDispatch } from './task-purge-dispatch.js';

/** Further away the sweep takes over. */
const FURTHEST_MS = 300_000;

@TaskHandler(deliverPurges)
@Injectable()
export class DeliverPurgesHandler implements TaskExecutor<typeof deliverPurges> {
  constructor(
    @Inject(PURGE_DELIVERIES) private readonly deliveries: readonly PurgeDelivery[],
    private readonly dispatch: TaskPurgeDispatch,
  ) {}

  /** A provider that is to be waited for gets another task later: however long it is away, one task waits for it. */
  async execute({ provider }: TaskPayload<typeof deliverPurges>, ctx: TaskContext): Promise<void> {
    const delivery = this.deliveries.find((it) => it.provider === provider);
    // No longer in the settings. Its purges stay for those who put it back.
    if (!delivery) return;
    const nextMs = await delivery.run(ctx.signal);
    if (nextMs !== undefined) await this.dispatch.schedule(provider, Math.min(nextMs, FURTHEST_MS));
  }
}
