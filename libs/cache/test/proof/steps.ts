import * as fc from 'fast-check';
import { setTimeout as delay } from 'node:timers/promises';
import type { Instances } from './instances.js';
import { NAMESPACES, WRITES, type NamespaceName } from './world-terms.js';
import type { World } from './world.js';

/** What the steps act on. */
export interface Stage {
  readonly world: World;
  readonly instances: Instances;
  readonly wipeRedis: () => Promise<unknown>;
}

/** One step of a scenario. The model is in the world itself, which knows what each caller may see. */
class Step implements fc.AsyncCommand<object, Stage> {
  constructor(
    private readonly label: string,
    private readonly act: (stage: Stage) => unknown,
  ) {}
  check = () => true;
  async run(_model: object, stage: Stage): Promise<void> {
    await this.act(stage);
    stage.world.check();
  }
  toString = () => this.label;
}

/** Few, so that steps meet on them. */
export const NAMES = ['a'] as const;
const at = fc.nat(2);
/** The wide ones seldom, since they leave nothing to go wrong with. */
const how = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('invalidate' as const, 'set' as const, 'tag' as const) },
  fc.constantFrom(...WRITES),
);
const name = fc.constantFrom(...NAMES);
const namespace = fc.constantFrom(...(Object.keys(NAMESPACES) as NamespaceName[]));
const target = fc.record({ at, namespace, name });
const connections = fc.constantFrom('all' as const, 'subscriptions' as const, 'commands' as const);
const direction = fc.constantFrom('toServer' as const, 'toClient' as const, 'both' as const);

const reading = fc.oneof(
  target.map((it) => new Step(`get ${show(it)}`, ({ world }) => world.get(it.at, it.namespace, it.name))),
  target.map(
    (it) => new Step(`getMany ${show(it)}`, ({ world }) => world.getMany(it.at, it.namespace, it.name)),
  ),
);

const loading = fc
  .record({ it: target, callers: fc.integer({ min: 1, max: 5 }) })
  .map(
    ({ it, callers }) =>
      new Step(`load ${show(it)} x${callers}`, ({ world }) =>
        world.load(it.at, it.namespace, it.name, callers),
      ),
  );

const finishing = fc
  .record({ which: fc.nat(9), fails: fc.nat(4).map((it) => it === 0) })
  .map(
    ({ which, fails }) =>
      new Step(`${fails ? 'fail' : 'finish'} load ${which}`, ({ world }) => world.finish(which, fails)),
  );

const writing = fc
  .record({ it: target, how, wait: fc.boolean() })
  .map(
    ({ it, how, wait }) =>
      new Step(`${how} ${show(it)}${wait ? '' : ', not waiting'}`, ({ world }) =>
        world.write(it.at, it.namespace, it.name, how, wait),
      ),
  );

/** A read that is under way when the write comes, on one or on two instances, with nothing between them. */
const clash = fc.record({ it: target, writer: at, how, loads: fc.boolean(), slow: fc.boolean() }).map(
  ({ it, writer, how, loads, slow }) =>
    new Step(
      `${loads ? 'load' : 'get'} ${show(it)}${slow ? ', slowly,' : ''} and ${how} on ${writer}`,
      ({ world, instances }) => {
        if (slow) instances.at(it.at).link.delay({ min: 5, max: 60 });
        if (loads) world.load(it.at, it.namespace, it.name, 2);
        else world.get(it.at, it.namespace, it.name);
        return world.write(writer, it.namespace, it.name, how, false);
      },
    ),
);

const trouble = fc.oneof(
  fc
    .record({ at, min: fc.nat(20), spread: fc.nat(60) })
    .map(
      ({ at, min, spread }) =>
        new Step(`delay link ${at} by ${min} to ${min + spread} ms`, ({ instances }) =>
          instances.at(at).link.delay({ min, max: min + spread }),
        ),
    ),
  fc
    .record({ at, connections })
    .map(
      (it) =>
        new Step(`cut ${it.connections} of ${it.at}`, ({ instances }) =>
          instances.at(it.at).link.cut(it.connections),
        ),
    ),
  fc
    .record({ at, connections, direction })
    .map(
      (it) =>
        new Step(`drop ${it.connections} ${it.direction} of ${it.at}`, ({ instances }) =>
          instances.at(it.at).link.drop(it.direction, it.connections),
        ),
    ),
  fc
    .record({ at, connections, direction })
    .map(
      (it) =>
        new Step(`hold ${it.connections} ${it.direction} of ${it.at}`, ({ instances }) =>
          instances.at(it.at).link.hold(it.direction, it.connections),
        ),
    ),
  at.map(
    (it) =>
      new Step(`reset a third of the requests of ${it}`, ({ instances }) =>
        instances.at(it).link.errorRate(0.3),
      ),
  ),
  at.map((it) => new Step(`partition ${it}`, ({ instances }) => instances.at(it).link.partition())),
);

const relief = fc.oneof(
  at.map((it) => new Step(`calm ${it}`, ({ instances }) => instances.at(it).link.calm())),
  at.map((it) => new Step(`heal ${it}`, ({ instances }) => instances.at(it).link.heal())),
  fc.constant(new Step('settle', ({ world }) => world.settle())),
);

/** An instance with a copy hears nothing of a write; then the copy comes to its end. */
const deaf = fc.record({ it: target, writer: at, how }).map(
  ({ it, writer, how }) =>
    new Step(`get ${show(it)}, deaf, ${how} on ${writer}, outlast memory`, async ({ world, instances }) => {
      await world.write(writer, it.namespace, it.name, 'set', true);
      world.get(it.at, it.namespace, it.name);
      await delay(10);
      instances.at(it.at).link.drop('toClient', 'subscriptions');
      await world.write(writer, it.namespace, it.name, how, true);
      await world.outlast();
      world.get(it.at, it.namespace, it.name);
    }),
);

// Lets entries become stale and expire; nothing waits for it.
const ageing = fc.constant(new Step('let 250 ms pass', () => delay(250)));

const rare = fc.oneof(
  { weight: 2, arbitrary: ageing },
  deaf,
  at.map((it) => new Step(`crash ${it}`, ({ world }) => world.crash(it))),
  fc.constant(new Step('wipe Redis', ({ wipeRedis }) => wipeRedis())),
  fc.constant(new Step('outlast memory', ({ world }) => world.outlast())),
);

// A turn of the network, so that some steps meet in the middle of others and some do not.
const pausing = fc.nat(8).map((ms) => new Step(`pause ${ms} ms`, () => delay(ms)));

/** Scenarios: mostly reads, loads and writes, with trouble in between. */
export const scenario = fc.commands(
  [
    ...[loading, loading, reading, finishing, finishing, writing, clash],
    ...[pausing, pausing, trouble, relief, rare],
  ],
  { maxCommands: 45, size: 'max' },
);

function show({ at, namespace, name }: { at: number; namespace: string; name: string }): string {
  return `${namespace}/${name} on ${at}`;
}
