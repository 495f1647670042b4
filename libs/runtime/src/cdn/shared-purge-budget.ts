import { Injectable } from '@nestjs/common';
import { type PurgeBudget, type PurgeRate } from '@peregrine/cdn';
import { RateLimiter } from '@peregrine/task-queue';

/** The provider's limits, held together by all processes. */
@Injectable()
export class SharedPurgeBudget implements PurgeBudget {
  constructor(private readonly limiter: RateLimiter) {}

  async take(provider: string, rate: PurgeRate, cost: number): Promise<number> {
    const { ratePerSecond, burst } = rate;
    const { retryAfterMs } = await this.limiter.tryAcquire(nameOf(provider, rate), {
      ratePerSecond,
      burst,
      cost,
    });
    return retryAfterMs;
  }

  async pause(provider: string, rate: PurgeRate, ms: number): Promise<void> {
    await this.limiter.penalize(nameOf(provider, rate), undefined, ms);
  }
}

const nameOf = (provider: string, { bucket }: PurgeRate) => `cdn.${provider}.${bucket}`;
