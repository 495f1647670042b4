import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { PlanFigures, QueryDetail } from '../../contract/query-figures.js';
import { ago, count, duration } from '../live/format.js';
import { read } from '../live/state.js';
import { Empty, Section, Sparkline, Tag, Tile, Tiles } from '../parts/basics.js';
import { PlanTree } from '../parts/plan-tree.js';

const HOUR_MS = 3_600_000;
const MOST_HOURS = 48;

function Plan({ its, isLatest, now }: { its: PlanFigures; isLatest: boolean; now: string }) {
  const { meanMs, samples, totalCost, buffers, isGeneric, firstSeenAt, lastSeenAt } = its;
  const blocks = buffers && buffers.hitBlocks + buffers.readBlocks;
  return (
    <li class="entry">
      <h3>
        {isLatest ? 'The latest plan' : `A plan from ${ago(lastSeenAt, now)}`}
        {isGeneric && <Tag level="unknown">of no particular parameters</Tag>}
      </h3>
      <p class="note">
        {meanMs === null ? 'Only estimated' : `${duration(meanMs)} on average`}, {count(samples)}{' '}
        {samples === 1 ? 'sample' : 'samples'}, cost {count(totalCost)}
        {blocks !== null && `, ${count(blocks)} blocks read`}
        {buffers !== null && buffers.tempWrittenBlocks > 0 && `, ${count(buffers.tempWrittenBlocks)} written`}
        ; first seen {ago(firstSeenAt, now)}.
      </p>
      <PlanTree {...its} />
    </li>
  );
}

/** By the hour, with the hours in which it did not run. */
function Hours({ hours }: Pick<QueryDetail, 'hours'>) {
  const [latest] = hours;
  if (!latest) return <Empty>Nothing was written into the history yet; it follows within a minute.</Empty>;
  const end = Date.parse(latest.hour);
  const byHour = new Map(hours.map((it) => [Date.parse(it.hour), it]));
  const oldest = Math.min(...byHour.keys());
  const length = Math.min(MOST_HOURS, (end - oldest) / HOUR_MS + 1);
  const times = Array.from({ length }, (_, index) => end - (length - 1 - index) * HOUR_MS);
  // The line leaves out the last step, which of requests still runs.
  const steps = [...times.map((it) => byHour.get(it)?.meanMs ?? 0), 0];
  const calls = hours.reduce((sum, it) => sum + it.calls, 0);
  const highest = Math.max(...hours.map((it) => it.meanMs));
  return (
    <>
      <Sparkline steps={steps} label={`Mean time by hour, at most ${duration(highest)}`} />
      <p class="note">
        Mean time by hour of the last {count(length)} {length === 1 ? 'hour' : 'hours'}, at most{' '}
        {duration(highest)}; {count(calls)} runs.
      </p>
    </>
  );
}

function Detail({ its, now }: { its: QueryDetail; now: string }) {
  const { regression } = its;
  return (
    <>
      <Section title="Statement">
        <pre class="statement">{its.sql}</pre>
      </Section>
      {regression && (
        <p class="notice warning">
          It got another plan {ago(regression.since, now)} and takes {Number(regression.factor.toFixed(1))}{' '}
          times as long since
          {regression.evidence === 'run times' && ', though other parameters may be the reason'}.
        </p>
      )}
      <Tiles>
        <Tile name="Runs" value={count(its.calls)} note={`${count(its.slowCalls)} of them slow`} />
        <Tile
          name="95 % take less than"
          value={duration(its.p95Ms)}
          note={`at most ${duration(its.maxMs)}`}
        />
        <Tile name="Mean" value={duration(its.meanMs)} note={`${duration(its.totalMs)} in all`} />
        <Tile
          name="Rows a run"
          value={its.calls === 0 ? '–' : count(its.rows / its.calls)}
          note={`${count(its.errors)} failed`}
        />
      </Tiles>
      <Section title="Plans" aside={<span class="note">the latest first, without constants</span>}>
        {its.planProblem !== null && <p class="hint">{its.planProblem}</p>}
        {its.plans.length === 0 ? (
          <Empty>No plan was sampled yet; slow runs are, a few a minute.</Empty>
        ) : (
          <ul class="entries">
            {its.plans.toReversed().map((it, index) => (
              <Plan key={it.hash} its={it} isLatest={index === 0} now={now} />
            ))}
          </ul>
        )}
      </Section>
      <Section title="History">
        <Hours hours={its.hours} />
      </Section>
    </>
  );
}

/** One slow query, as it is when it is opened. */
export function QueryView({ fingerprint, now }: { fingerprint: string; now: string }) {
  const found = useSignal<{ value: QueryDetail } | { problem: string } | null>(null);
  useEffect(() => {
    void read<QueryDetail>(`queries/${encodeURIComponent(fingerprint)}`).then((it) => {
      found.value = it;
    });
  }, [fingerprint]);
  const its = found.value;
  return (
    <>
      <p>
        <a href="#/queries">← All queries</a>
      </p>
      {its === null && <Empty>Asking for its plans …</Empty>}
      {its && 'problem' in its && <p class="hint">{its.problem}</p>}
      {its && 'value' in its && <Detail its={its.value} now={now} />}
    </>
  );
}
