import type { DeadLetterFigures } from '../../contract/queue-figures.js';
import type { ConsoleSnapshot } from '../../contract/snapshot.js';
import { ago, count, duration, percent } from '../live/format.js';
import { Empty, Section, Table, Tag, Tile, Tiles } from '../parts/basics.js';
import { ActionButton, ActionsNote } from '../parts/confirm.js';
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
  const started = classes.reduce((sum, it) => sum + it.started, 0);
  return (
    <Section title="Classes and their waits" aside={<span class="note">of this process</span>}>
      {started === 0 ? (
        <Empty>
          No task has started in this process. Workers show the waits of theirs at their own{' '}
          <code>/metrics</code> (<code>task_wait_seconds</code>).
        </Empty>
      ) : (
        <Table
          name="Classes and their waits"
          head={['Class', 'Started', 'Mean wait', 'Longer than promised']}
        >
          {classes.map(({ priority, started, meanWaitMs, missed }) => (
            <tr key={priority}>
              <th scope="row">{priority}</th>
              <td>{count(started)}</td>
              <td>{started === 0 ? '–' : duration(meanWaitMs)}</td>
              <td>{missed > 0 ? <Tag level="warning">{count(missed)}</Tag> : '0'}</td>
            </tr>
          ))}
        </Table>
      )}
    </Section>
  );
}

export function QueuePage({ now }: { now: ConsoleSnapshot }) {
  const { queue } = now;
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
    </>
  );
}
