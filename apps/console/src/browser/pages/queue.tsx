import type { DeadLetterFigures } from '../../contract/queue-figures.js';
import type { ConsoleSnapshot } from '../../contract/snapshot.js';
import { ago, count, duration, percent } from '../live/format.js';
import { Empty, Section, Table, Tag, Tile, Tiles } from '../parts/basics.js';
import { ActionButton, ActionsNote } from '../parts/confirm.js';
import { Processes } from '../parts/processes.js';
import { PageVerdicts } from '../parts/verdicts.js';

function DeadLetterRow({ its, now }: { its: DeadLetterFigures; now: string }) {
  const { task, error, fingerprint } = its;
  const what = `${count(its.count)} ${its.count === 1 ? 'task' : 'tasks'} ${task}`;
  return (
    <tr>
      <th scope="row">
        <code>{task}</code>
        <span class="detail">{error}</span>
      </th>
      <td>{count(its.count)}</td>
      <td>{ago(its.lastFailedAt, now)}</td>
      <td class="buttons">
        <ActionButton
          verb="Redrive"
          label={`Redrive ${what}`}
          title={`Put ${what} back to work?`}
          text="Each gets all its attempts again. Do it when the cause of the error is gone."
          action="dead-letters.redrive"
          input={{ task, fingerprint }}
        />
        <ActionButton
          verb="Delete"
          label={`Delete ${what}`}
          title={`Delete ${what} for good?`}
          text="Their payloads are gone then, and nobody can put them back to work."
          action="dead-letters.purge"
          input={{ task, fingerprint }}
        />
      </td>
    </tr>
  );
}

function Classes({ classes }: ConsoleSnapshot['queue']) {
  return (
    <Section
      title="Classes and their waits"
      aside={<span class="note">all processes, last five minutes</span>}
    >
      {classes.length === 0 ? (
        <Empty>No process has told of its tasks yet; each does every five seconds.</Empty>
      ) : (
        <Table
          name="Classes and their waits"
          head={[
            'Class',
            'Promised',
            'Started',
            '95 % waited less than',
            'Half less than',
            'Too long',
            'Since start',
          ]}
        >
          {classes.map(({ priority, promisedMs, started, recent }) => (
            <tr key={priority}>
              <th scope="row">{priority}</th>
              <td>{duration(promisedMs)}</td>
              <td>{count(recent.started)}</td>
              <td>{duration(recent.p95Ms)}</td>
              <td>{duration(recent.p50Ms)}</td>
              <td>{recent.missed > 0 ? <Tag level="warning">{count(recent.missed)}</Tag> : '0'}</td>
              <td>{count(started)}</td>
            </tr>
          ))}
        </Table>
      )}
    </Section>
  );
}

export function QueuePage({ now }: { now: ConsoleSnapshot }) {
  const { queue, processes } = now;
  const workers = processes.all.filter(({ role }) => role === 'worker');
  const alive = workers.filter(({ isGone }) => !isGone).length;
  return (
    <>
      <PageVerdicts page="queue" verdicts={now.verdicts} />
      <Tiles>
        <Tile name="Waiting" value={count(queue.pending)} note="and delayed, of the whole queue" />
        <Tile name="Running" value={count(queue.running)} note="in all workers" />
        <Tile name="Failed for good" value={count(queue.deadLettered)} note="kept as dead letters" />
        <Tile
          name="Succeed"
          value={percent(queue.successRate)}
          note={`${count(queue.completed)} completed`}
        />
        <Tile
          name="Workers"
          value={count(alive)}
          note={workers.length > alive ? `${count(workers.length - alive)} died` : 'none has died'}
        />
        <Tile name="Tried again" value={count(queue.retries)} note={`${count(queue.batches)} batches`} />
      </Tiles>
      <Section title="Dead letters">
        <ActionsNote />
        {queue.deadLetters.length === 0 ? (
          <Empty>No task has failed for good. There is nothing to do.</Empty>
        ) : (
          <Table name="Dead letters" head={['Task and error', 'Tasks', 'Last failed', 'Actions']}>
            {queue.deadLetters.map((it) => (
              <DeadLetterRow key={it.fingerprint} its={it} now={now.at} />
            ))}
          </Table>
        )}
      </Section>
      <Classes {...queue} />
      <Processes title="Workers" processes={workers} problem={processes.problem} now={now.at} />
    </>
  );
}
