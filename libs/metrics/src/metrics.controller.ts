import { Controller, Get, Header, type Type } from '@nestjs/common';
import { EXPOSITION_CONTENT_TYPE } from './exposition/registry.js';
import { MetricsService } from './metrics.service.js';

/** A controller for the scrape endpoint; a function because its path is an option. */
export function createMetricsController(path: string): Type<{ scrape(): Promise<string> }> {
  @Controller(path)
  class MetricsController {
    constructor(readonly metrics: MetricsService) {}

    @Get()
    @Header('Content-Type', EXPOSITION_CONTENT_TYPE)
    @Header('Cache-Control', 'no-store')
    scrape(): Promise<string> {
      return this.metrics.text();
    }
  }
  return MetricsController;
}
