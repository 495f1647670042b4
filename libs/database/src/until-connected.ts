import { setTimeout as delay } from 'node:timers/promises';

import { Logger } from '@nestjs/common';

import { connectionTarget, describeConnection, type ConnectionTarget } from './connection-target.js';
import { DatabaseUnavailableError } from './database.errors.js';
import { driverMessage, isRefused } from './driver-errors.js';

export interface UntilConnectedOptions {
  /** How long it is tried, milliseconds. An attempt that is under way by then may still succeed. */
  readonly startTimeoutMs: number;
  /** Gets a line for each failed attempt. @default a warning in the log */
  readonly onRetry?: (message: string) => void;
  /** What another attempt cannot heal; it is thrown as it is. @default nothing */
  readonly isFinal?: (error: unknown) => boolean;
}

const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 2_000;
const logger = new Logger('Database');

/**
 * What `connect` resolves with, trying again until `startTimeoutMs` has passed: a database may be later than its users.
 *
 * @param url for messages, where its password never is
 * @throws {DatabaseUnavailableError} at once when PostgreSQL refuses the user or the password
 */
export async function untilConnected<T>(
  url: string,
  connect: () => Promise<T>,
  {
    startTimeoutMs,
    onRetry = (message) => logger.warn(message),
    isFinal = () => false,
  }: UntilConnectedOptions,
): Promise<T> {
  const deadline = performance.now() + startTimeoutMs;
  for (let attempt = 1, waitMs = FIRST_RETRY_MS; ; attempt++, waitMs = Math.min(waitMs * 2, MAX_RETRY_MS)) {
    try {
      return await connect();
    } catch (error) {
      if (isFinal(error)) throw error;
      const isOver = performance.now() + waitMs > deadline;
      if (isOver || isRefused(error)) throw unavailable(connectionTarget(url), attempt, error);
      onRetry(
        `No connection to ${describeConnection(url)} (attempt ${attempt}): ${driverMessage(error)}. ` +
          `Trying again in ${waitMs} ms.`,
      );
      await delay(waitMs);
    }
  }
}

function unavailable(target: ConnectionTarget, attempts: number, cause: unknown): DatabaseUnavailableError {
  return new DatabaseUnavailableError(target, attempts, hint(target, cause), { cause });
}

function hint({ host, port, database }: ConnectionTarget, cause: unknown): string {
  const said = driverMessage(cause);
  if (isRefused(cause)) return `It refused the login (${said}). Check user and password.`;
  if (/does not exist/.test(said))
    return `It answered: ${said}. Create the database "${database}", or check its name.`;
  return `The last attempt said: ${said}. Check that PostgreSQL runs and listens on ${host}:${port}.`;
}
