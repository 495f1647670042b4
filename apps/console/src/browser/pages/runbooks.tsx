import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { detail } from '../live/state.js';
import { Empty, Section } from '../parts/basics.js';

/** Made when the page was built, of the texts of docs/runbooks; HTML of nobody else. */
interface Runbook {
  readonly name: string;
  readonly title: string;
  readonly html: string;
}

/** Replaced when the page is built. */
declare const RUNBOOKS_FILE: string;

/** Loaded by the first that is opened, and kept; null when they could not be loaded. */
const runbooks = signal<readonly Runbook[] | null | undefined>(undefined);

async function load(): Promise<void> {
  try {
    const response = await fetch(`/console/${RUNBOOKS_FILE}`);
    runbooks.value = response.ok ? ((await response.json()) as Runbook[]) : null;
  } catch {
    runbooks.value = null;
  }
}

function Text({ its }: { its: Runbook }) {
  return (
    <>
      <p>
        <a href="#/runbooks">← All runbooks</a>
      </p>
      <Section title={its.title}>
        <div class="prose" dangerouslySetInnerHTML={{ __html: its.html }} />
      </Section>
    </>
  );
}

function Index({ all }: { all: readonly Runbook[] }) {
  return (
    <Section title="All runbooks">
      <ul class="index">
        {all.map(({ name, title }) => (
          <li key={name}>
            <a href={`#/runbooks/${name}`}>{title}</a>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** What to do about a verdict or an alert, without leaving the console. */
export function RunbooksPage() {
  useEffect(() => {
    if (!runbooks.value) void load();
  }, []);
  const all = runbooks.value;
  if (all === undefined) return <Empty>Loading the runbooks …</Empty>;
  if (all === null) return <Empty>The runbooks could not be loaded; docs/runbooks has them, too.</Empty>;
  const its = all.find(({ name }) => name === detail.value);
  if (its) return <Text its={its} />;
  return (
    <>
      {detail.value !== '' && <p class="hint">There is no runbook of this name.</p>}
      <Index all={all} />
    </>
  );
}
