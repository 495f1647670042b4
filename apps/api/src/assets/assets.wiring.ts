import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Cdn } from '@peregrine/cdn';
import { MemoryManager, MetricsService } from '@peregrine/metrics';
import { type FastifyInstance } from 'fastify';
import { PUBLIC_DOCS, registerDocsInitializer } from './docs-page.js';

/** Connects the assets to the metrics, and the page of the description to the server. */
@Injectable()
export class AssetsWiring implements OnModuleInit {
  constructor(
    private readonly cdn: Cdn,
    private readonly metrics: MetricsService,
    private readonly memory: MemoryManager,
    private readonly host: HttpAdapterHost,
    @Inject(PUBLIC_DOCS) private readonly hasDocs: boolean,
  ) {}

  onModuleInit(): void {
    this.metrics.register(this.cdn);
    this.memory.register({ name: 'assets', limit: (share) => this.cdn.limitMemory(share) });
    if (this.hasDocs) registerDocsInitializer(this.host.httpAdapter.getInstance<FastifyInstance>(), this.cdn);
  }
}
