import { type EventEmitter } from 'node:events';

import { type AdvisorClient, type AdvisorSource } from '../advisor/advisor.options.js';

const ignore = () => undefined;

/**
 * pg tells of a lost connection by an event beside the statement that fails, and an event that nobody hears ends the process. Here
 * it is heard as long as somebody has the connection, and for good when it is closed: the news may come after that.
 */
export class QuietSource implements AdvisorSource {
  constructor(private readonly source: AdvisorSource) {}

  async connect(): Promise<AdvisorClient> {
    const client = await this.source.connect();
    const emitter = client as Partial<Pick<EventEmitter, 'on' | 'off'>>;
    emitter.on?.('error', ignore);
    return {
      query: (...it) => client.query(...it),
      release: (destroy) => {
        if (destroy !== true) emitter.off?.('error', ignore);
        client.release(destroy);
      },
    };
  }
}
