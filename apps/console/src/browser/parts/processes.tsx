import type { PlatformProcesses, PlatformProcessFigures } from '../../contract/process-figures.js';
import { ago, bytes, count, duration, percent } from '../live/format.js';
import { Empty, Problem, Section, Table, Tag } from './basics.js';

function Row({ its, now }: { its: PlatformProcessFigures; now: string }) {
  const { role, host, pid, isGone, startedAt, seenAt, figures } = its;
  return (
    <tr>
      <th scope="row">
        {role} {pid}
        <span class="detail">{host}</span>
      </th>
      <td>
        {isGone ? <Tag level="critical">died {ago(seenAt, now)}</Tag> : <Tag level="good">runs</Tag>}
        <span class="detail">started {ago(startedAt, now)}</span>
      </td>
      <td>
        {bytes(figures?.rssBytes ?? null)}
        {figures && <span class="detail">of {bytes(figures.memoryLimitBytes)}</span>}
      </td>
      <td>
        {bytes(figures?.heapUsedBytes ?? null)}
        {figures && <span class="detail">of {bytes(figures.heapLimitBytes)}</span>}
      </td>
      <td>
        {figures ? `${count(figures.poolInUse)} of ${count(figures.poolCapacity)}` : '–'}
        {figures && (
          <span class="detail">{percent(figures.poolInUse / Math.max(1, figures.poolCapacity))}</span>
        )}
      </td>
      <td>{duration(figures?.loopLagP99Ms ?? null)}</td>
      <td>{count(figures?.tasksStarted ?? null)}</td>
    </tr>
  );
}

interface ProcessesProps {
  title: string;
  processes: readonly PlatformProcessFigures[];
  problem: PlatformProcesses['problem'];
  now: string;
}

/** Processes of all machines, by what each writes of itself every five seconds. */
export function Processes({ title, processes, problem, now }: ProcessesProps) {
  return (
    <Section title={title} aside={<span class="note">of all machines</span>}>
      <Problem text={problem} />
      {processes.length === 0 ? (
        <Empty>
          None has told of itself yet; each does every five seconds. <code>npm start</code> starts one of
          each.
        </Empty>
      ) : (
        <Table
          name={title}
          head={['Process', 'State', 'Memory', 'Heap', 'Connections', 'Loop delay', 'Tasks']}
        >
          {processes.map((it) => (
            <Row key={it.id} its={it} now={now} />
          ))}
        </Table>
      )}
    </Section>
  );
}
