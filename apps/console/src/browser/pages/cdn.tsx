import { useSignal } from '@preact/signals';
import type { PurgeFigures } from '../../contract/cdn-figures.js';
import type { ConsoleSnapshot } from '../../contract/snapshot.js';
import { ago, bytes, count, duration, percent } from '../live/format.js';
import { Empty, Problem, Section, Table, Tag, Tile, Tiles } from '../parts/basics.js';
import { ActionButton, ActionsNote } from '../parts/confirm.js';
import { PageVerdicts } from '../parts/verdicts.js';

const STATES = { pending: 'unknown', sending: 'unknown', done: 'good', failed: 'critical' } as const;

/** As the API asks for it. */
function requestOf({ kind, value, provider, soft }: PurgeFigures): object {
  const targets = { path: { paths: [value] }, wildcard: { wildcards: [value] }, tag: { tags: [value] } };
  const target = targets[kind as keyof typeof targets] ?? { everything: true };
  return { ...target, soft, providers: [provider] };
}

function PurgeRow({ its, now }: { its: PurgeFigures; now: string }) {
  const { kind, value, error, attempts, provider, state, requestedAt, notBefore } = its;
  const what = value === '' ? 'everything' : `${kind} ${value}`;
  const waitMs = Date.parse(notBefore) - Date.parse(now);
  return (
    <tr>
      <th scope="row">
        {value === '' ? 'everything' : kind} <code>{value}</code>
        {error !== null && <span class="detail">{error}</span>}
      </th>
      <td>{provider}</td>
      <td>
        <Tag level={STATES[state as keyof typeof STATES] ?? 'unknown'}>{state}</Tag>
        {state === 'pending' && waitMs > 0 && <span class="detail">again in {duration(waitMs)}</span>}
      </td>
      <td>{count(attempts)}</td>
      <td>{ago(requestedAt, now)}</td>
      <td class="buttons">
        {state === 'failed' && (
          <ActionButton
            verb="Send again"
            label={`Send again ${what} to ${provider}`}
            title={`Send the purge of ${what} to ${provider} again?`}
            text="It was given up; do it when the cause is gone. What carries a tag goes from the own cache as well."
            action="cdn.purge"
            input={requestOf(its)}
          />
        )}
      </td>
    </tr>
  );
}

function Purges({ name, purges, now }: { name: string; purges: readonly PurgeFigures[]; now: string }) {
  return (
    <Table name={name} head={['What', 'Provider', 'State', 'Failed tries', 'Asked for', 'Actions']}>
      {purges.map((it) => (
        <PurgeRow key={it.id} its={it} now={now} />
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

const CODINGS: Readonly<Record<string, string>> = { br: 'Brotli', gzip: 'gzip', zstd: 'zstd' };

/** Manifests of the assets: the current one, and older ones that pages opened before still ask for. */
function Releases({ releases, now }: Pick<ConsoleSnapshot['cdn'], 'releases'> & { now: string }) {
  const codings = Object.keys(CODINGS).filter((it) => releases.some(({ codedBytes }) => it in codedBytes));
  return (
    <Section title="Releases of the assets" aside={<span class="note">those that answer</span>}>
      {releases.length === 0 ? (
        <Empty>
          No release was built: files are served under their own names.{' '}
          <code>npm run cdn -- build &lt;folder&gt;</code> makes one.
        </Empty>
      ) : (
        <Table
          name="Releases of the assets"
          head={[
            'Release',
            'State',
            'Published',
            'Files',
            'As it is',
            ...codings.map((it) => CODINGS[it] ?? it),
          ]}
        >
          {releases.map((it) => (
            <tr key={it.id}>
              <th scope="row">
                <code>{it.id}</code>
              </th>
              <td>
                {it.isCurrent ? <Tag level="good">current</Tag> : <Tag level="unknown">answers still</Tag>}
              </td>
              <td>{ago(it.publishedAt, now)}</td>
              <td>{count(it.files)}</td>
              <td>{bytes(it.sizeBytes)}</td>
              {codings.map((coding) => (
                <td key={coding}>{bytes(it.codedBytes[coding] ?? null)}</td>
              ))}
            </tr>
          ))}
        </Table>
      )}
    </Section>
  );
}

function Figures({ origins, edges, pending, ended }: ConsoleSnapshot['cdn']) {
  const answers = origins.reduce((sum, it) => sum + it.answers, 0);
  const hits = origins.reduce((sum, it) => sum + it.answers * (it.hitRatio ?? 0), 0);
  const sent = origins.reduce((sum, it) => sum + it.sentBytes, 0);
  const saved = origins.reduce((sum, it) => sum + it.savedBytes, 0);
  const failed = ended.filter(({ state }) => state === 'failed').length;
  return (
    <Tiles>
      {edges.map((it) => (
        <Tile
          key={it.source}
          name={`Hits at ${it.source}`}
          value={percent(it.hitRatio)}
          note={`of ${count(it.requests)} requests`}
        />
      ))}
      <Tile
        name="Hits at the origin"
        value={answers === 0 ? '–' : percent(hits / answers)}
        note={`of ${count(answers)} answers, from memory or 304`}
      />
      <Tile name="Sent" value={bytes(sent)} note={`${bytes(saved)} spared by compression`} />
      <Tile
        name="Purges waiting"
        value={count(pending.length)}
        note={
          ended.length === 0
            ? 'none has ended yet'
            : `${count(failed)} of the latest ${count(ended.length)} given up`
        }
      />
    </Tiles>
  );
}

export function CdnPage({ now }: { now: ConsoleSnapshot }) {
  const { cdn } = now;
  return (
    <>
      <PageVerdicts page="cdn" verdicts={now.verdicts} />
      <Figures {...cdn} />
      <Section
        title="Purge"
        aside={<span class="note">{cdn.providers.join(', ') || 'no CDN is configured'}</span>}
      >
        <ActionsNote />
        <PurgeForm />
        <Problem text={cdn.problem} />
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
      <Releases releases={cdn.releases} now={now.at} />
      <Origins {...cdn} />
    </>
  );
}
