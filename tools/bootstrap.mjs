/**
 * Runs a command of tools/src on the right Node, after installing what package-lock.json asks for.
 *
 * Plain JavaScript without dependencies: it runs on Node 18 and up, before anything is installed. When nothing
 * changed it costs one hash and one process.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const COMMANDS = {
  start: 'Start PostgreSQL, Redis, the API and a worker; --help for options',
  demo: 'Import a folder into a running platform and measure it: demo [folder]',
  test: 'Build, start the services on free ports, run every test; arguments go to Jest',
  migrate: 'Migrate the database; --revert takes the newest migration back',
  'cache-flush': 'Flush the cache of a running platform; --help for options',
  'content-sync': 'Mirror a folder or bucket into a workspace, or back; --help for options',
  'tasks-drain': 'Process what is pending in the task queue, then end; --help for options',
  cdn: 'Build or serve a folder of assets: cdn build <folder>, cdn serve <folder>',
  'cdn-probe': 'Ask a static file server what the RFCs say about it: cdn-probe <url>',
  'bench-cache': 'Measure the cache beside its peers; --help for options',
  'bench-queue': 'Measure the task queue beside its peers; --help for options',
  'bench-query': 'Measure the query optimizer beside its peers; --help for options',
  'bench-cdn': 'Measure the static file origin beside its peers; --help for options',
  'bench-metrics': 'Measure what figures cost beside the peers; --help for options',
  'bench-advisor': "Measure the index advisor on a third party's database; --help for options",
  'bench-workloads': 'Measure the workloads before and after, in one run; --help for options',
  'bench-retrieval': "Measure the retrieval's plans and the choice among them; --help for options",
  optimizer: 'Report, recommend, build and revert indexes of a database: optimizer <command>',
  load: 'Load a platform with users in stages, or compare it with another commit; --help for options',
  alerts: "Write Prometheus' rules from the list of alerts; --check only compares",
  dashboards: "Write Grafana's dashboards from the list of panels; --check only compares",
  'console-pictures': 'Take the pictures of the console of a running platform for the documents',
  'env-example': 'Write .env.example; --check only compares',
  install: 'Install the packages, nothing else',
};
/** Programs that are not tools/src/<command>.ts. */
const PROGRAMS = {
  'bench-cache': 'bench/src/cache.ts',
  'bench-queue': 'bench/src/task-queue.ts',
  'bench-query': 'bench/src/query.ts',
  'bench-cdn': 'bench/src/cdn.ts',
  'bench-metrics': 'bench/src/metrics.ts',
  'bench-advisor': 'bench/src/advisor.ts',
  'bench-workloads': 'bench/src/workloads.ts',
  'bench-retrieval': 'bench/src/retrieval.ts',
};
const MINIMUM_NODE = [24, 9];
/** No install takes that long: the number of a holder that died belongs to another program by now. */
const LOCK_STALE_MS = 30 * 60_000;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, 'node_modules', '.bin');
const stampFile = join(root, 'node_modules', '.bootstrap-stamp');
const lockFolder = join(root, '.peregrine', 'install.lock');
const isMusl = process.platform === 'linux' && fs.readdirSync('/lib').some((it) => it.startsWith('ld-musl-'));

/** What node_modules was, or would be, installed from. */
function currentStamp() {
  const lock = fs.readFileSync(join(root, 'package-lock.json'));
  const platform = `${process.platform}-${process.arch}${isMusl ? '-musl' : ''}`;
  return createHash('sha256').update(lock).update(platform).digest('hex');
}

async function install() {
  const stamp = currentStamp();
  const isInstalled = () => fs.existsSync(stampFile) && fs.readFileSync(stampFile, 'utf8') === stamp;
  if (isInstalled()) return;
  await lockInstall();
  try {
    if (!isInstalled()) await runNpmCi(stamp);
  } finally {
    unlockInstall();
  }
}

async function lockInstall() {
  const draft = `${lockFolder}.${process.pid}`;
  fs.mkdirSync(draft, { recursive: true });
  fs.writeFileSync(join(draft, 'pid'), String(process.pid));
  // A rename never replaces a folder that has content: only one process gets it.
  for (let told = false; !succeeds(() => fs.renameSync(draft, lockFolder), 'ENOTEMPTY', 'EEXIST');) {
    if (moveStaleLock()) continue;
    if (!told) console.error(`Another process installs the packages (${lockFolder}): waiting for it …`);
    told = true;
    await delay(200);
  }
}

function unlockInstall() {
  const parent = dirname(lockFolder);
  for (const name of fs.readdirSync(parent).filter((it) => /^install\.lock($|\.stale)/.test(it))) {
    fs.rmSync(join(parent, name), { recursive: true, force: true });
  }
  // Only when it is empty: made by root, it would bar an ordinary user from its data folder.
  succeeds(() => fs.rmdirSync(parent), 'ENOTEMPTY', 'EEXIST', 'ENOENT');
}

/** The new name holds the number: a second process that judged the same lock cannot move its successor. */
function moveStaleLock() {
  let pid = 0;
  let age = 0;
  const look = () => {
    pid = Number(fs.readFileSync(join(lockFolder, 'pid'), 'utf8'));
    age = Date.now() - fs.statSync(lockFolder).mtimeMs;
  };
  if (!succeeds(look, 'ENOENT')) return true;
  if (age < LOCK_STALE_MS && succeeds(() => process.kill(pid, 0), 'ESRCH')) return false;
  return succeeds(
    () => fs.renameSync(lockFolder, `${lockFolder}.stale-${pid}`),
    'ENOENT',
    'ENOTEMPTY',
    'EEXIST',
  );
}

/** @returns false when `work` failed with one of `codes` */
function succeeds(work, ...codes) {
  try {
    work();
    return true;
  } catch (error) {
    if (codes.includes(error.code)) return false;
    // Somebody else's process: it lives.
    if (error.code === 'EPERM' && error.syscall === 'kill') return true;
    throw error;
  }
}

async function runNpmCi(stamp) {
  fs.rmSync(stampFile, { force: true });
  // npm must run on the machine's Node: the one in node_modules is about to be deleted.
  const path = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((it) => !it.endsWith(join('node_modules', '.bin')));
  // Whatever NODE_ENV says, starting from sources needs the compiler and our Node.
  const args = ['ci', '--no-audit', '--no-fund', '--include=dev', '--include=optional'];
  const env = { ...process.env, PATH: path.join(delimiter) };
  const npm = spawn('npm', args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = [];
  for (const stream of [npm.stdout, npm.stderr]) stream.on('data', (chunk) => output.push(chunk));
  const endProgress = showProgress('Installing packages');
  const end = await waitFor(npm);
  endProgress(end.code === 0);
  if (end.code !== 0) throw Object.assign(new Error(`${Buffer.concat(output)}npm ci failed.`), { end });
  fs.mkdirSync(dirname(stampFile), { recursive: true });
  fs.writeFileSync(stampFile, stamp);
}

function showProgress(title) {
  const startedAt = Date.now();
  const seconds = (digits) => `${((Date.now() - startedAt) / 1000).toFixed(digits)} s`;
  const { isTTY } = process.stderr;
  if (!isTTY) console.error(`${title} …`);
  const timer = isTTY && setInterval(() => process.stderr.write(`\r… ${title} ${seconds(0)}`), 200);
  return (ok) => {
    clearInterval(timer);
    console.error(`${isTTY ? '\r\x1b[K' : ''}${ok ? '✔' : '✖'} ${title} ${seconds(1)}`);
  };
}

/** @returns the locked Node of node_modules, else the current one when it is new enough */
function chooseNode() {
  const local = join(bin, 'node');
  if (!isMusl && fs.existsSync(local)) return local;
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor >= MINIMUM_NODE[1]))
    return process.execPath;
  throw new Error(
    `Peregrine needs Node ${MINIMUM_NODE.join('.')} or newer and this is ${process.versions.node}. No Node comes with ` +
      `the packages for ${process.platform}-${process.arch}: install Node 24 (https://nodejs.org) and start again.`,
  );
}

/**
 * Hands on the signals that ask for an end. Ctrl-C reaches the child from the terminal as well, and once more
 * through npm: the commands take signals that follow each other closely for one.
 */
async function waitFor(child) {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const forward = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, forward);
  const end = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  for (const signal of signals) process.off(signal, forward);
  return end;
}

/** Ends as the child did: with its exit code, or by its signal. */
function endLike({ code, signal }) {
  if (signal) process.kill(process.pid, signal);
  else process.exit(code);
}

function showUsage(command) {
  const lines = Object.entries(COMMANDS).map(([name, text]) => `  ${name.padEnd(12)} ${text}`);
  const text = ['Usage: node tools/bootstrap.mjs <command> [arguments]', '', ...lines].join('\n');
  if (command === '--help' || command === '-h') return console.log(text);
  console.error(`${command === undefined ? 'No command given' : `Unknown command: ${command}`}\n\n${text}`);
  process.exitCode = 1;
}

async function main([command, ...args]) {
  if (!Object.hasOwn(COMMANDS, command ?? '')) return showUsage(command);
  await install();
  const node = chooseNode();
  if (command === 'install') return;
  const env = { ...process.env, PATH: [bin, process.env.PATH].join(delimiter) };
  const script = join(root, 'tools', PROGRAMS[command] ?? `src/${command}.ts`);
  endLike(await waitFor(spawn(node, [script, ...args], { env, stdio: 'inherit' })));
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (error.end?.signal) endLike(error.end);
  console.error(error.message);
  process.exitCode = 1;
}
