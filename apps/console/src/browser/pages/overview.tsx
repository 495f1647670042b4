import type { ConsoleSnapshot, RouteFigures } from '../../contract/snapshot.js';
import { count, dollars, duration, percent, rate } from '../live/format.js';
import { Empty, Mark, Section, Sparkline, Table, Tag, Tile, Tiles, Usage } from '../parts/basics.js';
import { VerdictCard } from '../parts/verdicts.js';

function Judgement({ verdicts }: Pick<ConsoleSnapshot, 'verdicts'>) {
  const [worst] = verdicts;
  const open = verdicts.filter(({ level }) => level === 'warning' || level === 'critical');
  const rest = verdicts.filter((it) => !open.includes(it));
  const level = open.length === 0 ? 'good' : (worst?.level ?? 'unknown');
  const text =
    open.length === 0
      ? 'Everything is well'
      : `${open.length === 1 ? '1 thing needs' : `${open.length} things need`} attention`;
  return (
    <section class={`judgement ${level}`} aria-labelledby="judgement">
      <h2 id="judgement">
        <Mark level={level} /> {text}
      </h2>
      {open.length > 0 && (
        <ul class="verdicts">
          {open.map((it) => (
            <VerdictCard key={it.title} verdict={it} isPart />
          ))}
        </ul>
      )}
      <details>
        <summary>
          {rest.length} {open.length > 0 && 'other '}areas were looked at
        </summary>
        <ul class="verdicts">
          {rest.map((it) => (
            <VerdictCard key={it.title} verdict={it} isPart />
          ))}
        </ul>
      </details>
    </section>
  );
}

function Route({ its }: { its: RouteFigures }) {
  const { method, route, perSecond, errorRate, p95Ms, steps, requests } = its;
  return (
    <tr>
      <th scope="row">
        <code>
          {method} {route}
        </code>
      </th>
      <td>
        <Sparkline steps={steps} label={`${count(requests)} requests in the last minutes`} />
      </td>
      <td>{rate(perSecond)}</td>
      <td>{duration(p95Ms)}</td>
      <td>{errorRate > 0 ? <Tag level="critical">{percent(errorRate)}</Tag> : percent(errorRate)}</td>
    </tr>
  );
}

function Figures({ process: its, history, cache, queue, processes }: ConsoleSnapshot) {
  const workers = processes.all.filter(({ role, isGone }) => role === 'worker' && !isGone).length;
  const errors = history.errors.reduce((sum, it) => sum + it, 0);
  // The last step still runs.
  const perSecond = history.perSecond.at(-2) ?? history.perSecond.at(-1) ?? 0;
  return (
    <Tiles>
      <Tile
        name="Requests"
        value={rate(perSecond)}
        note={<Sparkline steps={history.perSecond} label="Requests a second over the last five minutes" />}
      />
      <Tile
        name="95 % take less than"
        value={duration(its.recent.p95Ms)}
        note={`half less than ${duration(its.recent.p50Ms)}`}
      />
      <Tile
        name="Failed"
        value={percent(its.recent.errorRate)}
        note={`${count(errors)} in the last five minutes`}
      />
      {its.refused && (
        <Tile
          name="Refused"
          value={count(its.refused.byRate + its.refused.atOnce)}
          note={`${count(its.refused.byRate)} by rate limits, since the start`}
        />
      )}
      <Tile
        name="Cache hits"
        value={percent(cache.recentHitRate ?? cache.hitRate)}
        note={cache.recentHitRate === null ? 'since the start' : 'of the last five minutes'}
      />
      <Tile
        name="Tasks waiting"
        value={count(queue.pending)}
        note={`${count(workers)} ${workers === 1 ? 'worker' : 'workers'}, ${count(queue.deadLettered)} failed for good`}
      />
    </Tiles>
  );
}

/** What caches did not have to spend. */
function Savings({ savings: { cacheMs, ai }, process: { uptimeSeconds } }: ConsoleSnapshot) {
  return (
    <Section
      title="Saved"
      aside={<span class="note">by this process in {duration(uptimeSeconds * 1_000)}; estimated</span>}
    >
      <Tiles>
        <Tile name="Time of loading" value={duration(cacheMs)} note="by hits of the cache" />
        {ai && (
          <Tile
            name="Calls of models"
            value={dollars(ai.usd)}
            note={`${count(ai.results)} results not paid for`}
          />
        )}
      </Tiles>
    </Section>
  );
}

function Routes({ routes }: Pick<ConsoleSnapshot, 'routes'>) {
  return (
    <Section title="Busiest routes" aside={<span class="note">last five minutes</span>}>
      {routes.length === 0 ? (
        <Empty>
          No request in the last five minutes. <code>npm run demo</code> sends some.
        </Empty>
      ) : (
        <Table name="Busiest routes" head={['Route', 'Course', 'Rate', '95 % below', 'Failed']}>
          {routes.map((it) => (
            <Route key={`${it.method} ${it.route}`} its={it} />
          ))}
        </Table>
      )}
    </Section>
  );
}

export function OverviewPage({ now }: { now: ConsoleSnapshot }) {
  const { pid, node, uptimeSeconds } = now.process;
  return (
    <>
      <Judgement verdicts={now.verdicts} />
      <Figures {...now} />
      <Section title="Use against limits">
        {now.limits.map((it) => (
          <Usage key={it.name} {...it} />
        ))}
      </Section>
      <Savings {...now} />
      <Routes routes={now.routes} />
      <p class="note">
        Requests, cache and limits are those of the api process {pid} (Node {node}), up{' '}
        {duration(uptimeSeconds * 1_000)}; tasks, workers and purges those of the whole platform.
      </p>
    </>
  );
}
