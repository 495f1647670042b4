import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { AdaptiveIndexing } from '@peregrine/query-optimizer';
import { describe, expect, it } from '@jest/globals';

import { silentReporter } from '../reporter.ts';
import { ApiClient } from './api-client.ts';
import { workersRound } from './index-round.ts';

describe('waiting for a round of the workers', () => {
  it('does not wait where the platform has none, and says how to switch them on', async () => {
    const server = createServer((_request, response) => response.end(JSON.stringify({ mode: 'off' })));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const admin = new ApiClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'key');
      const adaptive = {
        rounds: () => Promise.reject(new Error('There is nothing to wait for')),
      } as unknown as AdaptiveIndexing;
      const why = await workersRound(admin, { adaptive, since: new Date(), reporter: silentReporter });
      expect(why).toMatch(/^the platform has INDEX_ADVISOR_MODE=off\. .* npm start$/);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
