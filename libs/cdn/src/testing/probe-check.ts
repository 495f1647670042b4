import { strict as assert } from 'node:assert';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { PROBE_FILES, type ProbeFile } from './probe-fixture.js';
import { ask, type RawAnswer, type RawRequest } from './raw-client.js';

/** Groups of checks. */
export type ProbeGroup = 'basics' | 'negotiation' | 'conditions' | 'ranges' | 'paths';

/** One question to a server and what the answer must be like. */
export interface ProbeCheck {
  readonly group: ProbeGroup;
  /** A sentence about what a server should do. */
  readonly title: string;
  /** Where it is written: an RFC, or a policy of ours that other servers may see otherwise. */
  readonly source: 'RFC' | 'policy';
  /** Rejects when the server does otherwise. */
  run(server: ProbedServer): Promise<void>;
}

/** The server under test, seen through raw sockets. */
export class ProbedServer {
  /** @param base where the folder of the fixture is: `http://127.0.0.1:8080/` */
  constructor(readonly base: URL) {}

  ask(request: RawRequest): Promise<RawAnswer> {
    return ask(this.base, { ...request, path: this.target(request.path) });
  }

  /** Asks for a file of the fixture. */
  get(file: ProbeFile, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<RawAnswer> {
    return this.ask({ path: `/${encodeURI(file)}`, headers, method });
  }

  target(path: string): string {
    return this.base.pathname.replace(/\/$/, '') + path;
  }

  /** The tag of a file in a coding. */
  async etagOf(file: ProbeFile, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    const etag = (await this.get(file, headers)).header('etag');
    assert.ok(etag, 'it sends no ETag');
    return etag;
  }
}

/** Makes the checks of a group from titles and functions; titles that begin with `*` are policy. */
export function checksOf(
  group: ProbeGroup,
  table: Readonly<Record<string, (server: ProbedServer) => Promise<void>>>,
): ProbeCheck[] {
  return Object.entries(table).map(([title, run]) => ({
    group,
    title: title.replace(/^\* /, ''),
    source: title.startsWith('* ') ? 'policy' : 'RFC',
    run,
  }));
}

/** The content of an answer, decoded as it says. */
export function decoded(answer: RawAnswer): Buffer {
  const coding = answer.header('content-encoding');
  if (coding === undefined) return answer.body;
  if (coding === 'br') return brotliDecompressSync(answer.body);
  assert.equal(coding, 'gzip', 'an unknown coding');
  return gunzipSync(answer.body);
}

/** It is the whole file, in whatever coding. */
export function assertWhole(answer: RawAnswer, file: ProbeFile): void {
  assert.equal(answer.status, 200, `status ${answer.status}`);
  assert.equal(
    answer.header('content-length') ?? String(answer.body.length),
    String(answer.body.length),
    'a wrong length',
  );
  assert.ok(decoded(answer).equals(PROBE_FILES[file]), 'another content');
}

/** The status is one of these. */
export function assertStatus({ status }: RawAnswer, ...allowed: readonly number[]): void {
  assert.ok(allowed.includes(status), `status ${status}, expected ${allowed.join(' or ')}`);
}
