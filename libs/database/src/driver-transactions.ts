import { type EntityManager } from 'typeorm';
import { type Transactions } from './transactions.js';

/** The driver's connection as far as it is used here. */
export interface DriverConnection {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[]; rowCount: number | null }>;
}

/** The transactions in the shape that a library without TypeORM takes, such as a task queue. */
export interface DriverTransactions {
  current(): DriverConnection | undefined;
  afterCommit(work: () => void | Promise<void>): Promise<void>;
  run<T>(work: (connection: DriverConnection) => Promise<T>): Promise<T>;
}

/** Statements go straight to the driver, so their errors are the driver's own. */
export function driverTransactions(transactions: Transactions): DriverTransactions {
  return {
    current: () => (transactions.active ? connectionOf(transactions.manager) : undefined),
    afterCommit: (work) => transactions.afterCommit(work),
    run: (work) => transactions.run((manager) => work(connectionOf(manager))),
  };
}

function connectionOf({ queryRunner }: EntityManager): DriverConnection {
  return {
    query: async (text, values) => {
      const connection = (await queryRunner?.connect()) as DriverConnection;
      return connection.query(text, values);
    },
  };
}
