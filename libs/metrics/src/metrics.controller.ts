import { Readable } from 'node:stream';
import {
  Controller,
  ForbiddenException,
  Get,
  Header,
  Inject,
  Req,
  StreamableFile,
  type Type,
  UnauthorizedException,
} from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { formatFor } from './exposition/exposition-format.js';
import { MetricsService } from './metrics.service.js';
import { refusalOf } from './scrape/scrape-access.js';

/** A decorated signature needs a value, and Fastify's type is an interface. */
type Request = Pick<FastifyRequest, 'raw'>;

/** A controller for the scrape endpoint; a function because its path is an option. */
export function createMetricsController(
  path: string,
): Type<{ scrape(request: Request): Promise<StreamableFile> }> {
  @Controller(path)
  class MetricsController {
    constructor(@Inject(MetricsService) readonly metrics: MetricsService) {}

    @Get()
    @Header('Cache-Control', 'no-store')
    async scrape(@Req() request: Request): Promise<StreamableFile> {
      const { accessKey: key, localOnly } = this.metrics.options;
      const refusal = refusalOf(request.raw, { key, localOnly });
      if (refusal?.status === 401) throw new UnauthorizedException(refusal.detail);
      if (refusal) throw new ForbiddenException(refusal.detail);
      const { contentType, chunks, bytes } = await this.metrics.page(formatFor(request.raw.headers.accept));
      return new StreamableFile(Readable.from(chunks), { type: contentType, length: bytes });
    }
  }
  return MetricsController;
}
