import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type StaticAnalyser } from './analysis/static-analyser.js';
import { type ChatService } from './chat/chat.service.js';
import { type EmbeddingMemory } from './embeddings/embedding-memory.js';
import { type UsageLedger } from './usage/usage-ledger.js';

/** Ends what the library has begun, in this order: calls, the analyser's thread, memory, and last what there was to count. */
@Injectable()
export class AiLifecycle implements OnApplicationShutdown {
  constructor(
    private readonly parts: {
      readonly chat: ChatService;
      readonly analyser: StaticAnalyser | undefined;
      readonly memory: EmbeddingMemory;
      readonly ledger: UsageLedger;
    },
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await this.parts.chat.close();
    await this.parts.analyser?.close();
    this.parts.memory.close();
    await this.parts.ledger.flush();
  }
}
