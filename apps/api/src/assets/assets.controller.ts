import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Cdn, type ManifestEntry } from '@peregrine/cdn';
import { RequireScope } from '../access/access.decorators.js';
import { type AssetManifest, assetManifestSchema } from './assets.schemas.js';

@ApiTags('Assets')
@Controller('cdn')
export class AssetsController {
  constructor(private readonly cdn: Cdn) {}

  @Get('manifest')
  @RequireScope('content:read')
  @ApiOperation({
    summary: 'URLs and hashes of the assets of the current release, and the releases that still answer',
  })
  @ApiResponse({ status: 200, standardSchema: assetManifestSchema })
  manifest(): AssetManifest {
    const { current, live } = this.cdn.manifest();
    const files: AssetManifest['files'] = {};
    for (const [path, { integrity, sizeBytes }] of Object.entries<ManifestEntry>(current?.manifest ?? {})) {
      files[path] = { url: this.cdn.getCdnUrl(path), integrity, sizeBytes };
    }
    return {
      releaseId: current?.id ?? null,
      files,
      liveReleases: live.map(({ id, publishedAtMs }) => ({
        id,
        publishedAt: new Date(publishedAtMs).toISOString(),
      })),
    };
  }
}
