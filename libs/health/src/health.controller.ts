import { Controller, Get, Header, Inject, Res, VERSION_NEUTRAL } from '@nestjs/common';
import { type HealthReport, httpStatusOf } from './health.report.js';
import { HealthService } from './health.service.js';

/** The probes' paths. Give them to `app.setGlobalPrefix(prefix, { exclude: [...HEALTH_PATHS] })`. */
export const HEALTH_PATHS = ['/health', '/health/live', '/health/ready', '/health/startup'] as const;

/** The part of an Express or a Fastify reply that the probes need. */
interface StatusReply {
  status(code: number): unknown;
}

/**
 * The probes. They take no credentials: a global guard must let this class pass
 * (`context.getClass() === HealthController`), or the orchestrator is locked out.
 */
@Controller({ path: 'health', version: VERSION_NEUTRAL })
export class HealthController {
  constructor(@Inject(HealthService) private readonly health: HealthService) {}

  /** Everything at a glance: readiness, and the process itself. */
  @Get()
  @Header('Cache-Control', 'no-store')
  async overall(@Res({ passthrough: true }) reply: StatusReply): Promise<HealthReport> {
    return answer(reply, await this.health.overall());
  }

  /** 503 means: restart this process. */
  @Get('live')
  @Header('Cache-Control', 'no-store')
  live(@Res({ passthrough: true }) reply: StatusReply): HealthReport {
    return answer(reply, this.health.liveness());
  }

  /** 503 means: send no requests to this process for now. */
  @Get('ready')
  @Header('Cache-Control', 'no-store')
  async ready(@Res({ passthrough: true }) reply: StatusReply): Promise<HealthReport> {
    return answer(reply, await this.health.readiness());
  }

  /** 503 means: still starting, ask the other probes later. */
  @Get('startup')
  @Header('Cache-Control', 'no-store')
  startup(@Res({ passthrough: true }) reply: StatusReply): HealthReport {
    return answer(reply, this.health.startup());
  }
}

function answer(reply: StatusReply, report: HealthReport): HealthReport {
  reply.status(httpStatusOf(report));
  return report;
}
