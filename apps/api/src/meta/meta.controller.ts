import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { MetricsService } from '@peregrine/metrics';
import { RequireScope } from '../access/access.decorators.js';

@ApiTags('Operations')
@RequireScope('admin')
@Controller('meta')
export class MetaController {
  constructor(private readonly metrics: MetricsService) {}

  @Get('metrics')
  @ApiOperation({ summary: 'The figures of this process, with a recommendation' })
  processMetrics() {
    return this.metrics.snapshot();
  }
}
