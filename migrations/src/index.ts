import { CreateAccess1795000000000 } from './1795000000000-create-access.js';
import { CreateContent1795000001000 } from './1795000001000-create-content.js';
import { CreateSearch1795000002000 } from './1795000002000-create-search.js';
import { CreateFeatureOverrides1795000003000 } from './1795000003000-create-feature-overrides.js';
import { CreateTaskOutbox1795000004000 } from './1795000004000-create-task-outbox.js';
import { TellContentChanges1795000005000 } from './1795000005000-tell-content-changes.js';
import { CreateCdnInvalidations1795000007000 } from './1795000007000-create-cdn-invalidations.js';
import { KeepSlowQueries1795000008000 } from './1795000008000-keep-slow-queries.js';
import { IndexFileStatus1795000009000 } from './1795000009000-index-file-status.js';
import { KeepIndexAdvice1795000010000 } from './1795000010000-keep-index-advice.js';
import { CreateAuditEvents1795000012000 } from './1795000012000-create-audit-events.js';
import { CreateAiUsage1795000013000 } from './1795000013000-create-ai-usage.js';
import { CreateMemories1795000014000 } from './1795000014000-create-memories.js';
import { CreateStorageSyncs1795000015000 } from './1795000015000-create-storage-syncs.js';
import { AuditConsoleActions1795000016000 } from './1795000016000-audit-console-actions.js';
import { CreateServiceProcesses1795000017000 } from './1795000017000-create-service-processes.js';
import { KeepPlanCosts1795000018000 } from './1795000018000-keep-plan-costs.js';
import { KeepTracesOfOutboxTasks1795000024000 } from './1795000024000-keep-traces-of-outbox-tasks.js';
import { CreateRetrieval1795000025000 } from './1795000025000-create-retrieval.js';
import { CountSemanticReuse1795000026000 } from './1795000026000-count-semantic-reuse.js';
import { IngestDocuments1795000027000 } from './1795000027000-ingest-documents.js';
import { CreateRetrievalCalibration1795000028000 } from './1795000028000-create-retrieval-calibration.js';
import { RaiseVersionsOfDeletedChunks1795000029000 } from './1795000029000-raise-versions-of-deleted-chunks.js';

/** Every migration, oldest first. Listed by hand, so that a bundler and a reader see the same. */
export const migrations = [
  CreateAccess1795000000000,
  CreateContent1795000001000,
  CreateSearch1795000002000,
  CreateFeatureOverrides1795000003000,
  CreateTaskOutbox1795000004000,
  TellContentChanges1795000005000,
  CreateCdnInvalidations1795000007000,
  KeepSlowQueries1795000008000,
  IndexFileStatus1795000009000,
  KeepIndexAdvice1795000010000,
  CreateAuditEvents1795000012000,
  CreateAiUsage1795000013000,
  CreateMemories1795000014000,
  CreateStorageSyncs1795000015000,
  AuditConsoleActions1795000016000,
  CreateServiceProcesses1795000017000,
  KeepPlanCosts1795000018000,
  KeepTracesOfOutboxTasks1795000024000,
  CreateRetrieval1795000025000,
  CountSemanticReuse1795000026000,
  IngestDocuments1795000027000,
  CreateRetrievalCalibration1795000028000,
  RaiseVersionsOfDeletedChunks1795000029000,
];
