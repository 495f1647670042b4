import type { CacheNamespaceFigures, CacheTierFigures } from '../../contract/cache-figures.js';
import type { ConsoleSnapshot } from '../../contract/snapshot.js';
import { bytes, count, duration, percent } from '../live/format.js';
import { Section, Table, Tag, Tile, Tiles } from '../parts/basics.js';
import { ActionButton, ActionsNote } from '../parts/confirm.js';
import { PageVerdicts } from '../parts/verdicts.js';

const STATES = { up: 'good', off: 'unknown', down: 'critical' } as const;

function TierRow({ its }: { its: CacheTierFigures }) {
  return (
    <tr>
      <th scope="row">
        {its.name}
        <span class="detail">{its.note}</span>
      </th>
      <td>
        <Tag level={STATES[its.state]}>{its.state}</Tag>
      </td>
      <td>{count(its.hits)}</td>
      <td>{count(its.entries)}</td>
      <td>
        {bytes(its.bytes)}
        {its.maxBytes !== null && ` of ${bytes(its.maxBytes)}`}
      </td>
      <td>{count(its.errors)}</td>
    </tr>
  );
}

function NamespaceRow({ its }: { its: CacheNamespaceFigures }) {
  return (
    <tr>
      <th scope="row">{its.name}</th>
      <td>{count(its.entries)}</td>
      <td>{bytes(its.bytes)}</td>
      <td>{count(its.reads)}</td>
      <td>{its.reads === 0 ? '–' : percent(its.recentHitRate ?? its.hitRate)}</td>
      <td>{its.loadMs === 0 ? '–' : duration(its.loadMs)}</td>
      <td>{its.savedMs === 0 ? '–' : duration(its.savedMs)}</td>
      <td class="buttons">
        <ActionButton
          verb="Flush"
          label={`Flush ${its.name}`}
          title={`Flush the namespace ${its.name}?`}
          text={`Its ${count(its.entries)} entries are gone from every tier and process; what is asked for next is loaded anew.`}
          action="cache.flush"
          input={{ namespace: its.name }}
        />
      </td>
    </tr>
  );
}

function Namespaces({ namespaces }: ConsoleSnapshot['cache']) {
  return (
    <Section
      title="Namespaces"
      aside={
        <ActionButton
          verb="Flush everything"
          title="Flush the whole cache?"
          text="Every namespace is emptied in every tier and process. The database and the storage have to answer everything until it is warm again."
          action="cache.flush"
          input={{}}
        />
      }
    >
      <ActionsNote />
      <Table
        name="Namespaces"
        head={['Namespace', 'Entries', 'Size', 'Reads', 'Hits', 'Load', 'Spared', 'Actions']}
      >
        {namespaces.map((it) => (
          <NamespaceRow key={it.name} its={it} />
        ))}
      </Table>
    </Section>
  );
}

export function CachePage({ now }: { now: ConsoleSnapshot }) {
  const { cache } = now;
  const reads = cache.namespaces.reduce((sum, it) => sum + it.reads, 0);
  const saved = cache.namespaces.reduce((sum, it) => sum + it.savedMs, 0);
  const [memory] = cache.tiers;
  return (
    <>
      <PageVerdicts page="cache" verdicts={now.verdicts} />
      <Tiles>
        <Tile
          name="Hits"
          value={reads === 0 ? '–' : percent(cache.recentHitRate ?? cache.hitRate)}
          note={cache.recentHitRate === null ? 'since the start' : 'of the last five minutes'}
        />
        <Tile name="Reads" value={count(reads)} note="since the start" />
        <Tile name="Spared" value={duration(saved)} note="of loading, by hits; estimated" />
        <Tile
          name="In memory"
          value={bytes(memory?.bytes ?? 0)}
          note={`${count(memory?.entries ?? 0)} entries`}
        />
      </Tiles>
      <Section title="Tiers">
        <Table name="Tiers" head={['Tier', 'State', 'Hits', 'Entries', 'Size', 'Errors']}>
          {cache.tiers.map((it) => (
            <TierRow key={it.name} its={it} />
          ))}
        </Table>
      </Section>
      <Namespaces {...cache} />
    </>
  );
}
