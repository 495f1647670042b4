import { type DynamicModule, type FactoryProvider, Module, type Provider } from '@nestjs/common';
import { RetrievalCalibration } from './certificate/retrieval-calibration.service.js';
import { ChunkStore } from './chunks/chunk-store.service.js';
import { DocumentChunks } from './chunks/document-chunks.service.js';
import { TextVectorizer } from './chunks/text-vectorizer.service.js';
import { ResidentCodes } from './codes/resident-codes.service.js';
import { EdgeStore } from './graph/edge-store.service.js';
import { IngestDocumentHandler } from './ingest/ingest-document.handler.js';
import { IngestService } from './ingest/ingest.service.js';
import { IngestSweeper } from './ingest/ingest.sweeper.js';
import { NeighbourhoodCache } from './graph/neighbourhood-cache.js';
import { PlanChooser } from './planning/plan-chooser.service.js';
import { SampleProbe } from './probe/sample-probe.service.js';
import { PlanRunner } from './querying/plan-runner.service.js';
import { RetrievalService } from './querying/retrieval.service.js';
import {
  RETRIEVAL_OPTIONS,
  retrievalOptionsSchema,
  type RetrievalOptionsInput,
} from './retrieval.options.js';
import { StageTimes } from './querying/stage-times.js';
import { RetrievalMetrics } from './statistics/retrieval-metrics.js';
import { type Embedder, RETRIEVAL_EMBEDDER } from './vectors/embedder.js';
import { VectorIndex } from './vectors/vector-index.service.js';
import { VectorCache } from './vectors/vector-cache.js';

export interface RetrievalModuleOptions extends RetrievalOptionsInput {
  /** Makes the embeddings, and keeps them: the same text is asked for again and again. */
  embedder: Pick<FactoryProvider<Embedder>, 'inject' | 'useFactory'>;
  /** Modules that what the embedder injects comes from. */
  imports?: DynamicModule['imports'];
  /** Whether this process looks for files that were not ingested; workers do. @default false */
  sweep?: boolean;
}

/**
 * Retrieval over the chunks of files. Needs `DatabaseModule` and `TaskQueueModule` as global modules.
 * The task handler comes along, so that a process without a worker can run tasks inline.
 */
@Module({})
export class RetrievalModule {
  static forRoot({ sweep = false, embedder, imports, ...input }: RetrievalModuleOptions): DynamicModule {
    const services: Provider[] = [
      ...[ChunkStore, DocumentChunks, EdgeStore, RetrievalService],
      ...[PlanChooser, RetrievalCalibration, RetrievalMetrics, VectorIndex],
    ];
    return {
      module: RetrievalModule,
      ...(imports && { imports }),
      providers: [
        { provide: RETRIEVAL_OPTIONS, useValue: retrievalOptionsSchema.parse(input) },
        { provide: RETRIEVAL_EMBEDDER, ...embedder },
        ...[ResidentCodes, NeighbourhoodCache, VectorCache, SampleProbe, PlanRunner, StageTimes],
        ...[TextVectorizer, ...services],
        ...[IngestService, IngestDocumentHandler],
        ...(sweep ? [IngestSweeper] : []),
      ],
      exports: services,
    };
  }
}
