import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { PlatformModule, type Settings } from '@peregrine/runtime';
import { ApiKey } from '../access/api-key.entity.js';
import { AccessModule } from '../access/access.module.js';
import { AiController } from '../ai/ai.controller.js';
import { AuditController } from '../audit/audit.controller.js';
import { InvalidationsController } from '../cdn/invalidations.controller.js';
import { NginxController } from '../cdn/nginx.controller.js';
import { FilesController } from '../files/files.controller.js';
import { UPLOAD_LIMITS, type UploadLimits } from '../files/upload-limits.js';
import { UploadsController } from '../files/uploads.controller.js';
import { AssetsModule } from '../assets/assets.module.js';
import { ConversionController } from '../conversion/conversion.controller.js';
import { ConsoleModule } from '../console/console.module.js';
import { MemoriesController } from '../memories/memories.controller.js';
import { CacheController } from '../meta/cache.controller.js';
import { MetaController } from '../meta/meta.controller.js';
import { IndexesController } from '../optimizer/indexes.controller.js';
import { OptimizerController } from '../optimizer/optimizer.controller.js';
import { RecommendationsController } from '../optimizer/recommendations.controller.js';
import { SlowQueriesController } from '../optimizer/slow-queries.controller.js';
import { ProfilesController } from '../profiles/profiles.controller.js';
import { ProblemFilter } from '../problem/problem.filter.js';
import { ValidationPipe } from '../problem/validation.pipe.js';
import { RetrievalController } from '../retrieval/retrieval.controller.js';
import { RetrievalPlannerController } from '../retrieval/retrieval-planner.controller.js';
import { SearchController } from '../search/search.controller.js';
import { SyncController } from '../sync/sync.controller.js';
import { DeadLettersController } from '../tasks/dead-letters.controller.js';
import { TaskAccess } from '../tasks/task-access.js';
import { TasksController } from '../tasks/tasks.controller.js';
import { WorkspacesController } from '../workspaces/workspaces.controller.js';

/** The only composition point of the API. */
@Module({})
export class AppModule {
  static forRoot(settings: Settings): DynamicModule {
    const platform = PlatformModule.forRoot(settings, 'api', [ApiKey]);
    const assets = AssetsModule.forRoot(settings);
    const { bootstrapAdminKey } = settings.security;
    const access = AccessModule.forRoot({ bootstrapAdminKey, imports: [platform] });
    const uploadLimits: UploadLimits = {
      fileBytes: settings.http.uploadLimitBytes,
      files: settings.http.uploadMaxFiles,
    };
    return {
      module: AppModule,
      imports: [
        platform,
        assets,
        access,
        ConsoleModule.forRoot(settings.console.actionsEnabled, [platform, assets, access]),
      ],
      controllers: [
        WorkspacesController,
        FilesController,
        UploadsController,
        ConversionController,
        SyncController,
        SearchController,
        MemoriesController,
        RetrievalController,
        RetrievalPlannerController,
        MetaController,
        CacheController,
        OptimizerController,
        SlowQueriesController,
        RecommendationsController,
        IndexesController,
        AuditController,
        InvalidationsController,
        NginxController,
        DeadLettersController,
        TasksController,
        ProfilesController,
        AiController,
      ],
      providers: [
        TaskAccess,
        { provide: UPLOAD_LIMITS, useValue: uploadLimits },
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_PIPE, useClass: ValidationPipe },
      ],
    };
  }
}
