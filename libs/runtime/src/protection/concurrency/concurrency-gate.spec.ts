import { describe, expect, it } from '@jest/globals';
import { AdaptiveLimit } from './adaptive-limit.js';
import { ConcurrencyGate, type Place, type RequestPriority } from './concurrency-gate.js';

const NEVER_MS = 3_600_000;

const gateOf = (limit: number, maxWaitMs = NEVER_MS) =>
  new ConcurrencyGate(new AdaptiveLimit({ min: limit, max: limit }, () => 0), { maxWaitMs }, () => 0);

/** Whoever gets in leaves its name. */
function enter(
  gate: ConcurrencyGate,
  name: string,
  priority: RequestPriority,
  log: string[],
): Promise<Place | string> {
  return (async () => gate.enter(priority))().then(
    (place) => {
      log.push(name);
      return place;
    },
    (error: Error) => {
      log.push(`${name} refused`);
      return error.name;
    },
  );
}

const settled = () => new Promise(setImmediate);

describe('the gate before what a process can do', () => {
  it('lets in at once while there is room', () => {
    const gate = gateOf(2);
    const places = [gate.enter('read'), gate.enter('read')] as Place[];
    expect(gate.inFlight).toBe(2);
    places.forEach((it) => it.release());
    expect(gate.inFlight).toBe(0);
    places[0]?.release();
    expect(gate.inFlight).toBe(0);
  });

  it('lets reads in before writes before uploads, and each kind in its order', async () => {
    const gate = gateOf(10);
    const log: string[] = [];
    const held = Array.from({ length: 10 }, () => gate.enter('read') as Place);
    for (const [name, priority] of [
      ['upload', 'upload'],
      ['write', 'write'],
      ['read 1', 'read'],
      ['read 2', 'read'],
    ] as const)
      void enter(gate, name, priority, log);
    await settled();
    held.forEach((it) => it.release());
    await settled();
    expect(log).toEqual(['read 1', 'read 2', 'write', 'upload']);
  });

  it('keeps uploads to half of the limit, so that slow ones never lock reads out', async () => {
    const gate = gateOf(10);
    const log: string[] = [];
    for (let upload = 0; upload < 7; upload++) void enter(gate, `upload ${upload}`, 'upload', log);
    await settled();
    expect(gate.inFlight).toBe(5);
    for (let read = 0; read < 2; read++) void enter(gate, 'read', 'read', log);
    await settled();
    expect(log.filter((it) => it === 'read')).toHaveLength(2);
  });

  it('refuses the newest of the least urgent when the queue is full, and the newcomer when nobody is less urgent', async () => {
    const gate = gateOf(4);
    const log: string[] = [];
    for (let held = 0; held < 4; held++) void gate.enter('read');
    void enter(gate, 'upload', 'upload', log);
    void enter(gate, 'write', 'write', log);
    void enter(gate, 'read 1', 'read', log);
    void enter(gate, 'read 2', 'read', log);
    void enter(gate, 'read 3', 'read', log);
    await settled();
    expect(log.sort()).toEqual(['read 3 refused', 'upload refused', 'write refused']);
    expect(gate.shed).toEqual({ read: 1, write: 1, upload: 1 });
    expect(gate.queued).toBe(2);
  });

  it('ends the wait after its time, and of a caller who has left', async () => {
    const gate = gateOf(1, 1);
    void gate.enter('read');
    await expect(gate.enter('read')).rejects.toMatchObject({ code: 'OVERLOADED', statusCode: 503 });
    const patient = gateOf(1);
    const place = patient.enter('read') as Place;
    const leaves: (() => void)[] = [];
    const left = patient.enter('read', (leave) => leaves.push(leave)) as Promise<Place>;
    leaves.forEach((leave) => leave());
    await expect(left).rejects.toMatchObject({ code: 'OVERLOADED' });
    place.release();
    expect(patient.inFlight).toBe(0);
  });

  it('tells its figures', () => {
    const gate = gateOf(3);
    void gate.enter('write');
    const values = Object.fromEntries(gate.collect().map(({ name, samples }) => [name, samples[0]?.value]));
    expect(values).toMatchObject({ protection_concurrency_limit: 3, protection_concurrency_in_flight: 1 });
  });
});
