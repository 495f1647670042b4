import { type DynamicModule, Module } from '@nestjs/common';
import { CdnModule } from '@peregrine/cdn';
import { FeatureFlags } from '@peregrine/config';
import { type Settings } from '@peregrine/runtime';
import { AssetsController } from './assets.controller.js';
import { AssetsWiring } from './assets.wiring.js';
import { cdnOptions } from './cdn-options.js';
import { PUBLIC_DOCS } from './docs-page.js';

/** Assets at `/static`, the page of the API's description at `/docs`, and what is known of both. */
@Module({})
export class AssetsModule {
  static forRoot(settings: Settings): DynamicModule {
    return {
      module: AssetsModule,
      imports: [
        CdnModule.forRootAsync({
          inject: [FeatureFlags],
          useFactory: (flags: FeatureFlags) => cdnOptions(settings, flags),
        }),
      ],
      controllers: [AssetsController],
      providers: [{ provide: PUBLIC_DOCS, useValue: settings.http.publicDocs }, AssetsWiring],
      exports: [CdnModule],
    };
  }
}
