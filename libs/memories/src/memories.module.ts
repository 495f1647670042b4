import { type DynamicModule, type FactoryProvider, Module, type Provider } from '@nestjs/common';
import { CursorCodec } from '@peregrine/database';
import { MemoryAddService } from './adding/memory-add.service.js';
import { ConsolidateMemoriesHandler } from './consolidation/consolidate-memories.handler.js';
import { ConsolidationService } from './consolidation/consolidation.service.js';
import { EmbedMemoriesHandler } from './embedding/embed-memories.handler.js';
import { type Embedder, MEMORY_EMBEDDER } from './embedding/embedder.js';
import { MemoryVectors } from './embedding/memory-vectors.js';
import { FeedbackService } from './feedback/feedback.service.js';
import { MEMORIES_OPTIONS, memoriesOptionsSchema, type MemoriesOptionsInput } from './memories.options.js';
import { MemoriesSweeper } from './memories.sweeper.js';
import { MemoryQueryService } from './querying/memory-query.service.js';
import { AuditService } from './reading/audit.service.js';
import { BootstrapService } from './reading/bootstrap.service.js';
import { MemoryService } from './reading/memory.service.js';
import { MemoryVisibility } from './reading/memory-visibility.js';
import { TermTotals } from './statistics/term-totals.service.js';
import { VectorIndexProvider } from './vectors/vector-index.provider.js';

export interface MemoriesModuleOptions extends MemoriesOptionsInput {
  /** Makes the embeddings, and keeps them: the same text is asked for again and again. */
  embedder: Pick<FactoryProvider<Embedder>, 'inject' | 'useFactory'>;
  /** Modules that what the embedder injects comes from. */
  imports?: DynamicModule['imports'];
  /** Whether this process looks for lost work; workers do. @default false */
  sweep?: boolean;
}

/**
 * Memories of agents. Needs `DatabaseModule`, `CacheModule`, `TaskQueueModule` and the query optimizer as global modules.
 * The task handlers come along, so that a process without a worker can run tasks inline.
 */
@Module({})
export class MemoriesModule {
  static forRoot({ sweep = false, embedder, imports, ...input }: MemoriesModuleOptions): DynamicModule {
    const options = memoriesOptionsSchema.parse(input);
    const services: Provider[] = [
      MemoryAddService,
      MemoryQueryService,
      MemoryService,
      BootstrapService,
      AuditService,
      ConsolidationService,
      FeedbackService,
    ];
    return {
      module: MemoriesModule,
      ...(imports && { imports }),
      providers: [
        { provide: MEMORIES_OPTIONS, useValue: options },
        { provide: CursorCodec, useFactory: () => new CursorCodec(options.cursorSecret) },
        { provide: MEMORY_EMBEDDER, ...embedder },
        ...services,
        ...[VectorIndexProvider, MemoryVectors, MemoryVisibility, TermTotals],
        ...[EmbedMemoriesHandler, ConsolidateMemoriesHandler],
        ...(sweep ? [MemoriesSweeper] : []),
      ],
      exports: services,
    };
  }
}
