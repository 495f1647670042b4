import { useSignal } from '@preact/signals';
import type { FlagFigures } from '../../contract/flag-figures.js';
import type { ConsoleSnapshot } from '../../contract/snapshot.js';
import { Section, Tag } from '../parts/basics.js';
import { ActionButton, ActionsNote } from '../parts/confirm.js';

/** The share in force, to be drawn to another one. */
function Slider({ name, variable, inForce, configured, scopes, isOverridden }: FlagFigures) {
  // What is drawn but not asked for yet; null: as it is in force.
  const drawn = useSignal<number | null>(null);
  const percent = drawn.value ?? inForce;
  const lost = Object.keys(scopes).length > 0 ? ' Own shares of its parts end.' : '';
  return (
    <div class="slider">
      <input
        type="range"
        min="0"
        max="100"
        step="1"
        value={percent}
        aria-label={`Share of keys for ${name}, percent`}
        aria-valuetext={`${percent} %`}
        onInput={(event) => {
          drawn.value = Number(event.currentTarget.value);
        }}
      />
      <output>{percent} %</output>
      <ActionButton
        verb="Set"
        isIdle={percent === inForce}
        label={`Set ${name} to ${percent} %`}
        title={`Set ${name} to ${percent} %?`}
        text={`It is on for ${inForce} % of the keys now. Every process follows within seconds, and it stays so over restarts.${lost}`}
        action="flag.set"
        input={{ flag: name, percent }}
      />
      {isOverridden && (
        <ActionButton
          verb="Reset"
          label={`Reset ${name}`}
          title={`Return ${name} to ${configured} %?`}
          text={`That is what ${variable} says.`}
          action="flag.reset"
          input={{ flag: name }}
        />
      )}
    </div>
  );
}

function Flag({ its }: { its: FlagFigures }) {
  const { name, variable, inForce, configured, scopes, isOverridden } = its;
  const parts = Object.entries(scopes);
  return (
    <Section
      title={name}
      aside={
        <Tag level={inForce >= 100 ? 'good' : 'warning'}>
          {inForce >= 100 ? 'on' : inForce <= 0 ? 'off' : `${inForce} %`}
        </Tag>
      }
    >
      <p class="note">{its.description}</p>
      <Slider {...its} />
      {parts.length > 0 && (
        <p class="note">Of its parts: {parts.map(([part, share]) => `${part} ${share} %`).join(', ')}.</p>
      )}
      <p class="note">
        <code>{variable}</code> says {configured} %
        {isOverridden ? '; it was changed while the platform ran.' : '.'}
      </p>
    </Section>
  );
}

export function FlagsPage({ now }: { now: ConsoleSnapshot }) {
  return (
    <>
      <p class="lead">
        A feature is on for a share of the keys (workspaces, paths, queries), always the same ones: a higher
        share only adds some.
      </p>
      <ActionsNote />
      {now.flags.map((it) => (
        <Flag key={it.name} its={it} />
      ))}
    </>
  );
}
