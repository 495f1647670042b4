import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type HealthDetail, HealthService } from '@peregrine/health';
import { MetricsService } from '@peregrine/metrics';
import { redactText } from '@peregrine/runtime';
import { RequireScope } from '../access/access.decorators.js';
import { healthDetailsSchema } from './health.schemas.js';

@ApiTags('Operations')
@RequireScope('admin')
@Controller('meta')
export class MetaController {
  constructor(
    private readonly metrics: MetricsService,
    private readonly health: HealthService,
  ) {}

  @Get('metrics')
  @ApiOperation({ summary: 'The figures of this process, with a recommendation' })
  processMetrics() {
    return this.metrics.snapshot();
  }

  @Get('health')
  @ApiOperation({
    summary: 'What this process depends on, and why it is down',
    description: 'The probes say only whether; reasons are for operators. Results at hand, no check is run.',
  })
  @ApiResponse({ status: 200, standardSchema: healthDetailsSchema })
  healthDetails(): { checks: HealthDetail[] } {
    const checks = this.health.details();
    return { checks: checks.map((it) => ({ ...it, reason: it.reason && redactText(it.reason) })) };
  }
}
