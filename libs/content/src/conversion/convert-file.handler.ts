import { Injectable } from '@nestjs/common';
import {
  PermanentTaskError,
  type TaskContext,
  type TaskExecutor,
  TaskHandler,
  type TaskPayload,
} from '@peregrine/task-queue';
import { ContentError } from '../content.errors.js';
import { convertFile } from '../content.tasks.js';
import { FileContentService } from '../files/file-content.service.js';
import { ConversionBusyError } from './conversion.errors.js';
import { ConversionService } from './conversion.service.js';

/** Makes the conversion of a large file, which the cache then has for those who asked. */
@TaskHandler(convertFile)
@Injectable()
export class ConvertFileHandler implements TaskExecutor<typeof convertFile> {
  constructor(
    private readonly contents: FileContentService,
    private readonly conversions: ConversionService,
  ) {}

  async execute(
    { workspaceId, fileId, ...request }: TaskPayload<typeof convertFile>,
    ctx: TaskContext,
  ): Promise<{ mediaType: string; sizeBytes: number; notes: string[] }> {
    try {
      const file = await this.contents.locate(workspaceId, fileId);
      const { mediaType, body, notes } = await this.conversions.convert(file, request, ctx.signal);
      return { mediaType, sizeBytes: Buffer.byteLength(body), notes };
    } catch (error) {
      // What is wrong with the content stays wrong.
      if (error instanceof ContentError && !(error instanceof ConversionBusyError))
        throw new PermanentTaskError(error.message, { cause: error });
      throw error;
    }
  }
}
