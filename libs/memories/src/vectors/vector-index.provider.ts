import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { Transactions } from '@peregrine/database';
import { MEMORIES_OPTIONS, type MemoriesOptions } from '../memories.options.js';
import { chooseVectorIndex } from './choose-vector-index.js';
import { SignCodeIndex } from './sign-code-index.js';
import { type VectorIndex } from './vector-index.js';

/** The vector index of this process, chosen at its start. */
@Injectable()
export class VectorIndexProvider implements OnModuleInit {
  #current: VectorIndex = new SignCodeIndex();

  constructor(
    private readonly transactions: Transactions,
    @Inject(MEMORIES_OPTIONS) private readonly options: MemoriesOptions,
  ) {}

  get current(): VectorIndex {
    return this.#current;
  }

  /** @throws {VectorIndexMissingError} */
  async onModuleInit(): Promise<void> {
    this.#current = await chooseVectorIndex(this.transactions.manager, this.options.vectorIndex);
  }
}
