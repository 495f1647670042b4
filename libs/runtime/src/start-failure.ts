import { InvalidEnvironmentError } from '@peregrine/config';
import { MetricsListenerError } from '@peregrine/metrics';
import { redactText } from './logging/redaction.js';

/** One message for a person who starts a service and sees it end: what is wrong and what to do. */
export function describeStartFailure(name: string, error: unknown): string {
  if (error instanceof InvalidEnvironmentError) return error.message;
  if (error instanceof MetricsListenerError) {
    return `${name} cannot start: the metrics cannot be served on ${error.host}:${error.port}. Set METRICS_PORT to another port (0 for any), and METRICS_HOST to an address of this machine.`;
  }
  if (isSystemError(error)) {
    const address = `${error.address ?? 'this address'}:${error.port ?? ''}`;
    if (error.code === 'EADDRINUSE') {
      return `${name} cannot start: ${address} is in use. Stop what listens there or set PORT to another port (0 for any).`;
    }
    if (error.code === 'EACCES' && error.port !== undefined) {
      return `${name} cannot start: this user may not listen on ${address}. Set PORT to 1024 or above.`;
    }
    if (error.code === 'EADDRNOTAVAIL') {
      return `${name} cannot start: ${error.address ?? 'HOST'} is no address of this machine. Correct HOST.`;
    }
  }
  return `${name} cannot start: ${redactText(error instanceof Error ? error.message : String(error))}`;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException & { address?: string; port?: number } {
  return error instanceof Error && 'code' in error;
}
