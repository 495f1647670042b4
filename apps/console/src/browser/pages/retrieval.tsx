import type {
  CalibrationFigures,
  RetrievalFigures,
  RetrievalPlanFigures,
} from '../../contract/retrieval-figures.js';
import type { ConsoleSnapshot } from '../../contract/snapshot.js';
import { count, duration, percent } from '../live/format.js';
import { Empty, Section, Table, Tag, Tile, Tiles } from '../parts/basics.js';
import { TimePlot } from '../parts/time-plot.js';
import { PageVerdicts } from '../parts/verdicts.js';

function Regret({ regret }: RetrievalFigures) {
  return (
    <Section title="Regret over time">
      {regret.length < 2 ? (
        <Empty>
          Too few queries so far. Ask some: <code>POST /api/v1/retrieval/query</code>.
        </Empty>
      ) : (
        <TimePlot
          label={`Time of an answer beyond the best plan, lately ${duration(regret.at(-1)?.regretMs ?? 0)}`}
          times={regret.map(({ at }) => at)}
          lines={[
            { name: 'The safe plan alone', values: regret.map((it) => it.fallbackRegretMs), isMain: false },
            { name: 'As chosen', values: regret.map((it) => it.regretMs), isMain: true },
          ]}
          format={duration}
        />
      )}
      <p class="hint">
        Mean time of an answer beyond the best plan that was known, by prediction. Recall does not depend on
        the choice: every plan goes on until its answer is certain.
      </p>
    </Section>
  );
}

function PlanRow({ its }: { its: RetrievalPlanFigures }) {
  return (
    <tr>
      <th scope="row">{its.name}</th>
      <td>{count(its.chosen)}</td>
      <td>{count(its.explored)}</td>
      <td>{its.actualToPredicted === null ? '–' : `${its.actualToPredicted.toFixed(2)} times`}</td>
      <td>{percent(its.withinFactorTwo)}</td>
      <td>{its.hasDrifted ? <Tag level="warning">learns anew</Tag> : <Tag level="good">as learned</Tag>}</td>
    </tr>
  );
}

function CalibrationRow({ its }: { its: CalibrationFigures }) {
  return (
    <tr>
      <th scope="row">{its.embedder}</th>
      <td>
        {its.z.toFixed(2)}
        <span class="detail">{its.isLearned ? 'learned' : 'as set'}</span>
      </td>
      <td>{count(its.samples)}</td>
      <td>{count(its.failures)}</td>
    </tr>
  );
}

function Certainty({ calibration }: RetrievalFigures) {
  return (
    <Section title="Certainty by embedding model">
      {calibration.length === 0 ? (
        <Empty>No answer was compared with an exact search yet: one query in a hundred is.</Empty>
      ) : (
        <Table
          name="Certainty by embedding model"
          head={['Model', 'z', 'Compared answers', 'Below their floor']}
        >
          {calibration.map((it) => (
            <CalibrationRow key={it.embedder} its={it} />
          ))}
        </Table>
      )}
    </Section>
  );
}

export function RetrievalPage({ now }: { now: ConsoleSnapshot }) {
  const { retrieval } = now;
  const { exploration } = retrieval;
  const latest = retrieval.regret.at(-1);
  return (
    <>
      <PageVerdicts page="retrieval" verdicts={now.verdicts} />
      <Tiles>
        <Tile name="Choices" value={count(retrieval.decisions)} note="of plans, since the start" />
        <Tile
          name="Regret"
          value={latest ? duration(latest.regretMs) : '–'}
          note="an answer, beyond the best plan"
        />
        <Tile
          name="Exploration"
          value={duration(exploration.spentMs)}
          note={`of ${duration(exploration.budgetMs)} that this hour allows`}
        />
        <Tile name="Remembered" value={percent(retrieval.planCacheHitRatio)} note="of the choices" />
        <Tile
          name="Model"
          value={retrieval.isLearning ? `Version ${retrieval.modelVersion}` : 'Off'}
          note={retrieval.lastTraining ?? `${count(retrieval.trainings)} trainings`}
        />
      </Tiles>
      <Regret {...retrieval} />
      <Section title="Plans">
        <Table
          name="Plans"
          head={['Plan', 'Chosen', 'To learn', 'Actual to predicted', 'Within factor 2', 'Times']}
        >
          {retrieval.plans.map((it) => (
            <PlanRow key={it.name} its={it} />
          ))}
        </Table>
      </Section>
      <Certainty {...retrieval} />
    </>
  );
}
