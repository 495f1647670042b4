import { onResponseClose } from '@peregrine/runtime';
import { type FastifyReply } from 'fastify';

/** The caller went away before the answer was sent. */
export class CallerGoneError extends Error {
  override readonly name = 'CallerGoneError';
  constructor() {
    super('The caller has gone');
  }
}

/** Aborts with a {@link CallerGoneError} when the caller goes away before the answer has been sent. */
export function callerSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  onResponseClose(raw, () => {
    if (!raw.writableFinished) gone.abort(new CallerGoneError());
  });
  return gone.signal;
}
