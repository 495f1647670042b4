import { Logger, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { BatchProcessor } from './batch-processor/batch-processor.js';
import { createBackend } from './backend/create-backend.js';
import { DeadLetters } from './dead-letters/dead-letters.js';
import { HandlerDiscovery } from './execution/handler-discovery.js';
import { HandlerRegistry } from './execution/handler-registry.js';
import { InlineRunner } from './inline/inline-runner.js';
import { limiterFor } from './limits/create-rate-limiter.js';
import { RateLimiter } from './limits/rate-limiter.js';
import { TaskQueueHealthIndicator } from './nest/task-queue-health.indicator.js';
import { BullQueue } from './queue/bull-queue.js';
import { createTaskStore } from './queue/create-task-store.js';
import { QueueCounts } from './queue/queue-counts.js';
import { TaskStore } from './queue/task-store.js';
import { TaskSubmitter } from './queue/task-submitter.js';
import { Scheduler } from './schedule/scheduler.js';
import { Schedules } from './schedule/schedules.js';
import { QueueTotals } from './statistics/queue-totals.js';
import { TaskStatistics } from './statistics/task-statistics.js';
import { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } from './task-queue.module-definition.js';
import { parseTaskQueueOptions, type TaskQueueOptions } from './task-queue.options.js';
import { TaskQueue } from './task-queue.service.js';
import { QUEUE_BACKEND, TASK_QUEUE_OPTIONS } from './task-queue.tokens.js';
import { ThrottledLog } from './throttled-log.js';
import { RetentionTrimmer } from './worker/retention-trimmer.js';
import { OutboxRelay } from './transactional/outbox-relay.js';
import { TaskOutbox } from './transactional/task-outbox.js';
import { TransactionalSubmitter } from './transactional/transactional-submitter.js';
import { TaskWorker } from './worker/task-worker.js';

/**
 * The task queue of an application. Enable Nest's shutdown hooks, or call `app.close()`, so that a stop gives tasks
 * back.
 */
@Module({
  imports: [DiscoveryModule],
  providers: [
    { provide: TASK_QUEUE_OPTIONS, inject: [MODULE_OPTIONS_TOKEN], useFactory: parseTaskQueueOptions },
    {
      provide: QUEUE_BACKEND,
      inject: [TASK_QUEUE_OPTIONS],
      useFactory: (options: TaskQueueOptions) =>
        createBackend(options, new ThrottledLog(new Logger('TaskQueue'))),
    },
    { provide: TaskStore, inject: [TASK_QUEUE_OPTIONS, QUEUE_BACKEND], useFactory: createTaskStore },
    { provide: RateLimiter, inject: [TASK_QUEUE_OPTIONS], useFactory: limiterFor },
    { provide: BatchProcessor, useFactory: () => new BatchProcessor() },
    TaskStatistics,
    QueueTotals,
    HandlerRegistry,
    HandlerDiscovery,
    QueueCounts,
    RetentionTrimmer,
    InlineRunner,
    TaskOutbox,
    OutboxRelay,
    TransactionalSubmitter,
    TaskSubmitter,
    Schedules,
    Scheduler,
    DeadLetters,
    TaskWorker,
    TaskQueue,
    TaskQueueHealthIndicator,
    BullQueue,
  ],
  exports: [TaskQueue, TaskWorker, RateLimiter, BatchProcessor, TaskQueueHealthIndicator, BullQueue],
})
export class TaskQueueModule extends ConfigurableModuleClass {}
