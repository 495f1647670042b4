import type { ConsoleSnapshot } from '../../contract/snapshot.js';
import { count, duration, percent } from '../live/format.js';
import { Section, Table, Tile, Tiles, Usage } from '../parts/basics.js';
import { Processes } from '../parts/processes.js';
import { PageVerdicts } from '../parts/verdicts.js';

function Callers({ waiting, acquired }: ConsoleSnapshot['pool']) {
  return (
    <Section title="Callers by priority">
      <Table name="Callers by priority" head={['Priority', 'Wait now', 'Served since the start']}>
        {Object.keys(acquired).map((it) => (
          <tr key={it}>
            <th scope="row">{it}</th>
            <td>{count(waiting[it] ?? 0)}</td>
            <td>{count(acquired[it] ?? 0)}</td>
          </tr>
        ))}
      </Table>
    </Section>
  );
}

export function PoolPage({ now }: { now: ConsoleSnapshot }) {
  const { pool, limits, process: its, processes } = now;
  return (
    <>
      <PageVerdicts page="pool" verdicts={now.verdicts} />
      <Tiles>
        <Tile
          name="Connections"
          value={count(pool.size)}
          note={`${count(pool.inUse)} in use, ${count(pool.idle)} idle`}
        />
        <Tile name="At once" value={percent(pool.efficiency)} note="had a connection within 10 ms" />
        <Tile name="Gave up" value={count(pool.timeouts + pool.refused)} note="callers, since the start" />
        <Tile name="Kept too long" value={count(pool.leaks)} note="connections, since the start" />
        <Tile
          name="Loop delay"
          value={duration(its.eventLoop.lagP99Ms)}
          note={`loop ${percent(its.eventLoop.utilization)} busy`}
        />
      </Tiles>
      <Section title="Use against limits">
        {limits
          .filter(({ page }) => page === 'pool')
          .map((it) => (
            <Usage key={it.name} {...it} />
          ))}
      </Section>
      <Callers {...pool} />
      <Processes title="Processes" processes={processes.all} problem={processes.problem} now={now.at} />
    </>
  );
}
