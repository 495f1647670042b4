import { type DynamicModule, type FactoryProvider, Module, type Provider } from '@nestjs/common';
import { CursorCodec } from '@peregrine/database';
import {
  CONTENT_OPTIONS,
  type ContentOptions,
  type ContentOptionsInput,
  contentOptionsSchema,
} from './content.options.js';
import { ContentSweeper } from './content.sweeper.js';
import { ConversionService } from './conversion/conversion.service.js';
import { ConvertFileHandler } from './conversion/convert-file.handler.js';
import { ExtractTextHandler } from './extraction/extract-text.handler.js';
import { deafListener, TEXT_LISTENER, type TextListener } from './extraction/text-listener.js';
import { FileContentService } from './files/file-content.service.js';
import { FileService } from './files/file.service.js';
import { FileUploadService } from './files/file-upload.service.js';
import { ReindexWorkspaceHandler } from './reindex/reindex-workspace.handler.js';
import { SearchService } from './search/search.service.js';
import { SnippetService } from './search/snippet.service.js';
import { ObjectStore } from './storage/object-store.js';
import { createStorageDrivers } from './storage/storage-drivers.js';
import { parseStorageOptions, type StorageOptionsInput } from './storage/storage.options.js';
import { STORAGE_DRIVERS, STORAGE_OPTIONS } from './storage/storage.tokens.js';
import { ReleaseStorageHandler } from './storage-release/release-storage.handler.js';
import { StorageReleaseService } from './storage-release/storage-release.service.js';
import { SyncService } from './sync/sync.service.js';
import { SyncStorageHandler } from './sync/sync-storage.handler.js';
import { SyncStore } from './sync/sync.store.js';
import { DataSource } from 'typeorm';
import { WorkspaceService } from './workspaces/workspace.service.js';

export interface ContentModuleOptions extends ContentOptionsInput {
  storage: StorageOptionsInput;
  /** Whether this process looks for lost work; workers do. @default false */
  sweep?: boolean;
  /** Hears of texts in the transaction that writes them. @default nobody */
  onTextExtracted?: Pick<FactoryProvider<TextListener>, 'inject' | 'useFactory'>;
}

/**
 * Workspaces, files and search. Needs `DatabaseModule`, `CacheModule`, `TaskQueueModule` and the query optimizer as global
 * modules.
 * The task handlers come along, so that a process without a worker can run tasks inline.
 */
@Module({})
export class ContentModule {
  static forRoot({
    sweep = false,
    storage,
    onTextExtracted = { useFactory: () => deafListener },
    ...input
  }: ContentModuleOptions): DynamicModule {
    const options: ContentOptions = contentOptionsSchema.parse(input);
    const storageOptions = parseStorageOptions(storage);
    const services: Provider[] = [
      WorkspaceService,
      FileService,
      FileUploadService,
      FileContentService,
      SearchService,
      ObjectStore,
      ConversionService,
      SyncService,
    ];
    return {
      module: ContentModule,
      providers: [
        { provide: CONTENT_OPTIONS, useValue: options },
        { provide: CursorCodec, useFactory: () => new CursorCodec(options.cursorSecret) },
        { provide: STORAGE_OPTIONS, useValue: storageOptions },
        {
          provide: STORAGE_DRIVERS,
          inject: [DataSource],
          useFactory: (dataSource: DataSource) => createStorageDrivers(storageOptions, dataSource),
        },
        { provide: TEXT_LISTENER, ...onTextExtracted },
        ...services,
        SnippetService,
        StorageReleaseService,
        ExtractTextHandler,
        ReleaseStorageHandler,
        ReindexWorkspaceHandler,
        ConvertFileHandler,
        SyncStore,
        SyncStorageHandler,
        ...(sweep ? [ContentSweeper] : []),
      ],
      exports: [CursorCodec, ...services],
    };
  }
}
