/** The little of Express that is measured here; its types are no package of this repository. */
declare module 'express' {
  import type { RequestListener } from 'node:http';

  interface Application extends RequestListener {
    use(handler: unknown): Application;
  }
  const express: {
    (): Application;
    static(root: string, options?: { maxAge?: number }): unknown;
  };
  export default express;
}
