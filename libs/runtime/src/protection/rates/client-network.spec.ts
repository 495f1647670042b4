import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { clientNetwork, isLoopback } from './client-network.js';

describe('the network of a client', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['', ''],
  ])('of %j is %j', (address, network) => {
    expect(clientNetwork(address)).toBe(network);
  });

  it('is one for all addresses of a /64, however they are written, and another for the next', () => {
    fc.assert(
      fc.property(fc.ipV6(), fc.ipV6(), (network, host) => {
        const groupsIn = (address: string) => clientNetwork(address).replace('::/64', '').split(':');
        const prefix = groupsIn(network);
        const within = [...prefix, ...groupsIn(host)].join(':');
        expect(groupsIn(within)).toEqual(prefix);
        const next = ((Number.parseInt(prefix[3] ?? '0', 16) + 1) % 65_536).toString(16);
        expect(groupsIn([...prefix.slice(0, 3), next, '0:0:0:1'].join(':'))).not.toEqual(prefix);
      }),
    );
  });

  it('knows its own machine', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'].every(isLoopback)).toBe(true);
    expect(['192.0.2.127', '::', undefined, '1127.0.0.1'].some(isLoopback)).toBe(false);
  });
});
