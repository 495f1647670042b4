import { DataSource, type Logger } from 'typeorm';
import { type MemoriesFixture } from './memories-fixture.js';

/** The statements that the library sends while `work` runs. */
export async function statementsOf(
  fixture: MemoriesFixture,
  work: () => Promise<unknown>,
): Promise<string[]> {
  const source = fixture.get(DataSource);
  const before = source.logger;
  const sent: string[] = [];
  source.logger = collectingLogger(sent);
  try {
    await work();
  } finally {
    source.logger = before;
  }
  return sent;
}

function collectingLogger(sent: string[]): Logger {
  const nothing = () => undefined;
  return {
    logQuery: (sql) => void sent.push(sql),
    logQueryError: nothing,
    logQuerySlow: nothing,
    logSchemaBuild: nothing,
    logMigration: nothing,
    log: nothing,
  };
}
