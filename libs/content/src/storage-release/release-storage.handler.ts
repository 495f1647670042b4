import { Injectable } from '@nestjs/common';
import { TaskHandler, type TaskExecutor, type TaskPayload } from '@peregrine/task-queue';
import { releaseStorage } from '../content.tasks.js';
import { StorageReleaseService } from './storage-release.service.js';

@TaskHandler(releaseStorage)
@Injectable()
export class ReleaseStorageHandler implements TaskExecutor<typeof releaseStorage, { removed: number }> {
  constructor(private readonly storageRelease: StorageReleaseService) {}

  async execute(payload: TaskPayload<typeof releaseStorage>): Promise<{ removed: number }> {
    return { removed: await this.storageRelease.release(payload.resourceIds) };
  }
}
