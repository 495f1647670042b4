import { type ConsoleSnapshot } from '@peregrine/console';

/** An open console: its answer and the snapshots that it gets. */
export interface OpenConsole {
  response: Response;
  snapshots: AsyncGenerator<ConsoleSnapshot>;
  close(): void;
}

/** Opens the stream of the console, as its page does. */
export async function openConsole(url: string, cookie: string): Promise<OpenConsole> {
  const controller = new AbortController();
  const response = await fetch(`${url}/console/api/stream`, {
    headers: { cookie },
    signal: controller.signal,
  });
  return { response, snapshots: snapshotsIn(response), close: () => controller.abort() };
}

/** The next snapshot; fails when the stream has ended. */
export async function nextOf({ snapshots }: OpenConsole): Promise<ConsoleSnapshot> {
  const { value, done } = await snapshots.next();
  if (done) throw new Error('The stream has ended');
  return value;
}

async function* snapshotsIn({ body }: Response): AsyncGenerator<ConsoleSnapshot> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const [, data] = /^event: snapshot\ndata: (.*)$/.exec(event) ?? [];
      if (data !== undefined) yield JSON.parse(data) as ConsoleSnapshot;
    }
  }
}
