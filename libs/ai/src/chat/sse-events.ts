import { AiStreamBrokenError } from '../ai.errors.js';

/** A line that is longer is no piece of a reply. */
const MAX_EVENT_CHARS = 4_194_304;

/**
 * The data of server-sent events, as they arrive (WHATWG HTML, section 9.2.6). Not the official client's decoder: that ends in
 * silence whether or not `[DONE]` came, and without it nobody knows that a reply is whole.
 *
 * @throws {AiStreamBrokenError} for an event without an end
 */
export async function* sseData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  let data: string[] = [];
  for await (const bytes of body) {
    rest += decoder.decode(bytes, { stream: true });
    // A CR at the end may be half of a line's end.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    if (rest.length > MAX_EVENT_CHARS) throw new AiStreamBrokenError('an event does not end');
    for (const line of lines) {
      if (line.startsWith('data:')) data.push(line.slice(line.startsWith('data: ') ? 6 : 5));
      else if (line === '' && data.length > 0) {
        yield data.join('\n');
        data = [];
      }
    }
  }
}
