import { useSignal } from '@preact/signals';
import type { PurgeFigures } from '../../contract/cdn-figures.js';
import type { ConsoleSnapshot } from '../../contract/snapshot.js';
import { ago, bytes, count, percent } from '../live/format.js';
import { Empty, Section, Table, Tag } from '../parts/basics.js';
import { ActionButton, ActionsNote } from '../parts/confirm.js';
import { PageVerdicts } from '../parts/verdicts.js';

const STATES = { pending: 'unknown', sending: 'unknown', done: 'good', failed: 'critical' } as const;

function Purges({ name, purges, now }: { name: string; purges: readonly PurgeFigures[]; now: string }) {
  return (
    <Table name={name} head={['What', 'Provider', 'State', 'Asked for']}>
      {purges.map((it) => (
        <tr key={it.id}>
          <th scope="row">
            {it.kind} <code>{it.value}</code>
            {it.error !== null && <span class="detail">{it.error}</span>}
          </th>
          <td>{it.provider}</td>
          <td>
            <Tag level={STATES[it.state as keyof typeof STATES] ?? 'unknown'}>{it.state}</Tag>
          </td>
          <td>{ago(it.requestedAt, now)}</td>
        </tr>
      ))}
    </Table>
  );
}

/** A path or a tag to purge. */
function PurgeForm() {
  const value = useSignal('');
  const text = value.value.trim();
  const input = text.startsWith('/') ? { paths: [text] } : { tags: [text] };
  return (
    <div class="slider">
      <label for="purge-target">Path or tag</label>
      <input
        id="purge-target"
        type="text"
        placeholder="/static/logo.svg"
        value={value}
        onInput={(event) => {
          value.value = event.currentTarget.value;
        }}
      />
      {text !== '' && (
        <ActionButton
          verb="Purge"
          label={`Purge ${text}`}
          title={`Purge ${text}?`}
          text="It goes from the CDN, and what carries the tag goes from the own cache too. The next request fetches it anew."
          action="cdn.purge"
          input={input}
        />
      )}
      <ActionButton
        verb="Purge everything"
        title="Purge everything?"
        text="The CDN and the own cache are emptied: the api has to answer everything until they are warm again."
        action="cdn.purge"
        input={{ everything: true }}
      />
    </div>
  );
}

function Origins({ origins }: ConsoleSnapshot['cdn']) {
  return (
    <Section title="Files served by this process">
      <Table
        name="Files served by this process"
        head={['Path', 'Answers', 'Hits', 'Sent', 'Spared', 'In memory', 'Release']}
      >
        {origins.map((it) => (
          <tr key={it.prefix}>
            <th scope="row">
              <code>{it.prefix}</code>
            </th>
            <td>{count(it.answers)}</td>
            <td>{percent(it.hitRatio)}</td>
            <td>{bytes(it.sentBytes)}</td>
            <td>{bytes(it.savedBytes)}</td>
            <td>{bytes(it.memoryBytes)}</td>
            <td>
              {it.release === null ? '–' : <code>{it.release}</code>}
              {it.liveReleases > 1 && <span class="detail">{count(it.liveReleases)} answer</span>}
            </td>
          </tr>
        ))}
      </Table>
    </Section>
  );
}

export function CdnPage({ now }: { now: ConsoleSnapshot }) {
  const { cdn } = now;
  return (
    <>
      <PageVerdicts page="cdn" verdicts={now.verdicts} />
      <Section
        title="Purge"
        aside={<span class="note">{cdn.providers.join(', ') || 'no CDN is configured'}</span>}
      >
        <ActionsNote />
        <PurgeForm />
        {cdn.problem !== null && <p class="hint">{cdn.problem}</p>}
        {cdn.pending.length === 0 ? (
          <Empty>No purge waits.</Empty>
        ) : (
          <Purges name="Purges that wait" purges={cdn.pending} now={now.at} />
        )}
      </Section>
      <Section title="Latest purges">
        {cdn.ended.length === 0 ? (
          <Empty>
            {cdn.providers.length === 0
              ? 'Without a CDN there are none: set CDN_PROVIDER when there is one.'
              : 'Nothing was purged yet.'}
          </Empty>
        ) : (
          <Purges name="Latest purges" purges={cdn.ended} now={now.at} />
        )}
      </Section>
      <Origins {...cdn} />
    </>
  );
}
