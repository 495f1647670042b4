import { type DynamicModule, Module } from '@nestjs/common';
import { MemoryManager, Profiler } from '@peregrine/metrics';
import { resolve } from 'node:path';
import { type Settings } from '../settings.js';
import { BreachProfiles } from './breach-profiles.js';
import { memoryManagerOptions } from './memory-manager-options.js';
import { MemoryWiring } from './memory-wiring.js';
import { MEMORY_MANAGER_ENABLED } from './memory.tokens.js';

/** The memory manager of a process, what it manages, and profiles. Global: whoever holds much memory registers with it. */
@Module({})
export class MemoryModule {
  static forRoot(settings: Settings): DynamicModule {
    return {
      module: MemoryModule,
      global: true,
      providers: [
        { provide: MemoryManager, useFactory: () => new MemoryManager(memoryManagerOptions(settings)) },
        { provide: MEMORY_MANAGER_ENABLED, useValue: settings.memory.managerEnabled },
        MemoryWiring,
        {
          provide: Profiler,
          inject: [MemoryManager],
          useFactory: (manager: MemoryManager) =>
            new Profiler(profilerOptions(settings), () => manager.state),
        },
        ...(settings.memory.profileOnBreach ? [BreachProfiles] : []),
      ],
      exports: [MemoryManager, Profiler],
    };
  }
}

function profilerOptions({ memory }: Settings) {
  const { profileFolder, profileMaxCount: maxCount, profileMaxBytes: maxBytes } = memory;
  return { folder: resolve(profileFolder), maxCount, maxBytes };
}
