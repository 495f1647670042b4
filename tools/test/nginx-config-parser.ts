/** A directive of nginx; `block` is there when it ends in braces instead of a semicolon. */
export interface NginxDirective {
  readonly name: string;
  readonly args: readonly string[];
  readonly block?: readonly NginxDirective[];
}

const TOKEN = /\s+|#[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[{};]|[^\s{};"'#]+/gy;

/**
 * Reads nginx's configuration language: words and quoted strings, `;` after a simple directive, `{ }` around a block.
 * It knows no directive by name; whether nginx takes them only nginx can say.
 *
 * @throws {Error} at an unbalanced brace, an unclosed quote, or a directive without its end
 */
export function parseNginxConfig(text: string): NginxDirective[] {
  const tokens = tokenize(text);
  const directives = parseBlock(tokens);
  if (tokens.length > 0) throw new Error('a } closes nothing');
  return directives;
}

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  let end = 0;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    end = index + token.length;
    if (!/^[\s#]/.test(token)) tokens.push(token);
  }
  if (end !== text.length) throw new Error(`cannot read: ${text.slice(end, end + 40)}`);
  return tokens;
}

function parseBlock(tokens: string[]): NginxDirective[] {
  const directives: NginxDirective[] = [];
  let words: string[] = [];
  for (let token = tokens[0]; token !== undefined && token !== '}'; token = tokens[0]) {
    tokens.shift();
    const [name = '', ...args] = words;
    if (token === ';' || token === '{') {
      if (words.length === 0) throw new Error(`${token} without a directive`);
      if (token === ';') directives.push({ name, args });
      else directives.push({ name, args, block: parseInner(tokens, name) });
      words = [];
    } else {
      words.push(/^["']/.test(token) ? token.slice(1, -1) : token);
    }
  }
  if (words.length > 0) throw new Error(`"${words.join(' ')}" has no end`);
  return directives;
}

function parseInner(tokens: string[], name: string): NginxDirective[] {
  const block = parseBlock(tokens);
  if (tokens.shift() !== '}') throw new Error(`the block of ${name} is not closed`);
  return block;
}
