export { ContentModule, type ContentModuleOptions } from './content.module.js';
export { fileTag, searchTag, workspaceTag } from './content.cache-tags.js';
export { ContentSweeper } from './content.sweeper.js';
export {
  ContentError,
  FileNotFoundError,
  InvalidFilePathError,
  WorkspaceNotFoundError,
} from './content.errors.js';
export { contentEntities } from './content.entities.js';
export { CONTENT_OPTIONS, type ContentOptions, type ContentOptionsInput } from './content.options.js';
export { CACHED_TABLES, contentQueryPolicy } from './content.query-policy.js';
export {
  contentTasks,
  convertFile,
  extractText,
  reindexWorkspace,
  releaseStorage,
  syncStorage,
} from './content.tasks.js';
export {
  type Conversion,
  type ConversionOptions,
  type ConversionTarget,
} from './conversion/conversion-format.js';
export { CONVERSION_TARGETS, CSV_DELIMITERS } from './conversion/conversion-format.js';
export {
  ConversionBusyError,
  ConversionRefusedError,
  ConversionTooLargeError,
  ConversionUnsupportedError,
} from './conversion/conversion.errors.js';
export {
  type ConversionOutcome,
  type ConversionRequest,
  ConversionService,
} from './conversion/conversion.service.js';
export { type ExtractedFile, type TextListener } from './extraction/text-listener.js';
export { FileContentService, type FileLocation } from './files/file-content.service.js';
export { FILE_FIELDS, type FileField, type FileSummary } from './files/file.entity.js';
export { MAX_PATH_BYTES, parseFilePath } from './files/file-path.js';
export { type FileStatus } from './files/file-status.js';
export { FileService, type FileStatistics, type ListFilesOptions } from './files/file.service.js';
export { FileUploadService, type UploadedFile, type UploadOptions } from './files/file-upload.service.js';
export {
  MAX_QUERY_LENGTH,
  type SearchHit,
  type SearchOptions,
  SearchService,
} from './search/search.service.js';
export { ObjectStore } from './storage/object-store.js';
export { type ByteRange } from './storage/storage-driver.js';
export {
  StorageError,
  StorageObjectNotFoundError,
  StorageUnavailableError,
  UploadInterruptedError,
  UploadTooLargeError,
} from './storage/storage.errors.js';
export { type StorageOptionsInput } from './storage/storage.options.js';
export {
  StorageSync,
  SYNC_DIRECTIONS,
  type SyncCounts,
  type SyncDirection,
  type SyncProblem,
  type SyncState,
} from './sync/storage-sync.entity.js';
export {
  SyncEndedError,
  SyncNotFoundError,
  SyncRunningError,
  SyncSourceEmptyError,
  SyncSourceError,
} from './sync/sync.errors.js';
export { type StartSync, SyncService, type SyncSummary, taskIdOf } from './sync/sync.service.js';
export { Workspace } from './workspaces/workspace.entity.js';
export { type Visibility, WorkspaceService } from './workspaces/workspace.service.js';
