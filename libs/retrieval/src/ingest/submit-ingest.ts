import { TaskQueue } from '@peregrine/task-queue';
import { ingestDocument } from '../retrieval.tasks.js';

/** A file whose text is there. */
export interface FileWithText {
  readonly fileId: string;
  readonly revision: number;
}

/** Has the files ingested; in the current transaction, when there is one. */
export async function submitIngest(tasks: TaskQueue, files: readonly FileWithText[]): Promise<void> {
  if (files.length === 0) return;
  await tasks.submitBatch(
    ingestDocument,
    files.map(({ fileId, revision }) => ({ documentId: fileId, revision })),
  );
}

/** What `ContentModule` takes as `onTextExtracted`: the tasks are committed with the texts. */
export const ingestExtractedTexts = {
  inject: [TaskQueue],
  useFactory: (tasks: TaskQueue) => (files: readonly FileWithText[]) => submitIngest(tasks, files),
};
