import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Cache } from '@peregrine/cache';
import { HealthService } from '@peregrine/health';
import { MemoryManager, MetricsService, Profiler } from '@peregrine/metrics';
import { QueryOptimizer } from '@peregrine/query-optimizer';
import { TaskWorker } from '@peregrine/task-queue';
import { memoryHealth } from './memory-health.js';
import { MEMORY_MANAGER_ENABLED } from './memory.tokens.js';

/** Connects the memory manager to what can do with less, and to what shows it. */
@Injectable()
export class MemoryWiring implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly manager: MemoryManager,
    @Inject(MEMORY_MANAGER_ENABLED) private readonly isEnabled: boolean,
    private readonly metrics: MetricsService,
    private readonly health: HealthService,
    private readonly cache: Cache,
    private readonly queries: QueryOptimizer,
    private readonly worker: TaskWorker,
    private readonly profiler: Profiler,
  ) {}

  onModuleInit(): void {
    this.metrics.register(this.manager);
    if (!this.isEnabled) return;
    this.manager.register({ name: 'cache', limit: (share) => this.cache.limitMemory(share) });
    this.manager.register({ name: 'queries', limit: (share) => this.queries.limitMemory(share) });
    this.manager.onShedding((isShedding) => (isShedding ? this.worker.hold() : this.worker.release()));
    this.health.register(memoryHealth(this.manager));
    this.manager.start();
  }

  async onApplicationShutdown(): Promise<void> {
    this.manager.stop();
    await this.profiler.stop();
  }
}
