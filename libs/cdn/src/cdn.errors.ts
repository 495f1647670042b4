/** Base of every error of this library; `code` is stable across releases. */
export abstract class CdnError extends Error {
  abstract readonly code: `CDN_${string}`;
  override get name(): string {
    return this.constructor.name;
  }
}

/** The options do not fit the schema; `message` lists every problem. Thrown while the module is built. */
export class CdnOptionsError extends CdnError {
  readonly code = 'CDN_OPTIONS';
  constructor(problems: string, options?: ErrorOptions) {
    super(`The CDN options are wrong:\n${problems}`, options);
  }
}

/** A policy would let caches keep what they must not, or answer with what does not fit. `message` lists every finding. */
export class CdnPolicyError extends CdnError {
  readonly code = 'CDN_POLICY';
  constructor(findings: readonly string[]) {
    super(`The caching policy is unsafe:\n${findings.map((it) => `- ${it}`).join('\n')}`);
  }
}

/** The folder can not be served: it is missing, no folder, or not readable. */
export class CdnRootError extends CdnError {
  readonly code = 'CDN_ROOT';
  constructor(
    readonly root: string,
    options?: ErrorOptions,
  ) {
    super(
      `The folder "${root}" can not be served; give one that exists and that this process may read`,
      options,
    );
  }
}

/** A file became shorter while it was sent. The connection is cut, so that nobody keeps half of it. */
export class CdnFileChangedError extends CdnError {
  readonly code = 'CDN_FILE_CHANGED';
  constructor(readonly path: string) {
    super(
      `The file "${path}" changed while it was sent; replace files by renaming, not by writing into them`,
    );
  }
}

/** A manifest is not what it must be. */
export class CdnManifestError extends CdnError {
  readonly code = 'CDN_MANIFEST';
  constructor(
    readonly path: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`The manifest "${path}" can not be used: ${problem}`, options);
  }
}

/** Two contents would have the same hashed name: caches would mix them up. */
export class CdnHashCollisionError extends CdnError {
  readonly code = 'CDN_HASH_COLLISION';
  constructor(
    readonly path: string,
    options?: ErrorOptions,
  ) {
    super(
      `"${path}" exists with another content; a hashed name must never change its content: delete the file, or build ` +
        'into another folder',
      options,
    );
  }
}

/** The build can not read its source or write its target. */
export class CdnBuildError extends CdnError {
  readonly code = 'CDN_BUILD';
  constructor(what: string, options?: ErrorOptions) {
    super(`The build ended: ${what}`, options);
  }
}

/** The log of the edge cannot be read, or is no file. It is tried again. */
export class CdnEdgeLogError extends CdnError {
  readonly code = 'CDN_EDGE_LOG';
  constructor(
    readonly path: string,
    options?: ErrorOptions,
  ) {
    super(
      `The log of the edge, "${path}", cannot be read; it must be a file that this process may read`,
      options,
    );
  }
}
