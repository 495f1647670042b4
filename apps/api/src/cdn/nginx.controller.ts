import { Controller, Get, Header, Query } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CdnOptionsError, PolicyTable, renderNginxProxy, renderNginxStatic } from '@peregrine/cdn';
import { type z } from 'zod';
import { RequireScope } from '../access/access.decorators.js';
import { ValidationError } from '../problem/problem.js';
import { nginxQuery } from './cdn.schemas.js';

@ApiTags('Operations')
@RequireScope('admin')
@Controller('cdn/nginx.conf')
export class NginxController {
  @Get()
  @Header('Content-Type', 'text/plain; charset=utf-8')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'A configuration of nginx from the same policy table' })
  @ApiProduces('text/plain')
  @ApiResponse({ status: 200, description: 'The configuration' })
  configuration(@Query({ schema: nginxQuery }) { variant, root }: z.output<typeof nginxQuery>): string {
    if (variant === 'proxy') return renderNginxProxy();
    if (root === undefined) {
      throw new ValidationError([{ field: 'query.root', message: 'expected the folder with the files' }]);
    }
    try {
      return renderNginxStatic(new PolicyTable(), { root, prefix: '/static' });
    } catch (error) {
      if (!(error instanceof CdnOptionsError)) throw error;
      throw new ValidationError([
        { field: 'query.root', message: 'expected an absolute path without blanks' },
      ]);
    }
  }
}
