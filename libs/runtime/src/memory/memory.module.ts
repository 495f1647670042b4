import { type DynamicModule, Module } from '@nestjs/common';
import { MemoryManager } from '@peregrine/metrics';
import { type Settings } from '../settings.js';
import { memoryManagerOptions } from './memory-manager-options.js';
import { MemoryWiring } from './memory-wiring.js';
import { MEMORY_MANAGER_ENABLED } from './memory.tokens.js';

/** The memory manager of a process, and what it manages. Global: whoever holds much memory registers with it. */
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
      ],
      exports: [MemoryManager],
    };
  }
}
