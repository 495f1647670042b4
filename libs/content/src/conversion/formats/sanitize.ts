import 'htmlparser2';

// Late: it is CommonJS that requires the same parser that others here import, which must be there as a whole by then.
const { default: sanitizeHtml } = await import('sanitize-html');

/**
 * Before every id of the result, and in every link to one: what a file calls a heading must not take the place of a
 * name that a page around it uses.
 */
export const ID_PREFIX = 'user-content-';

const LINK_RELATION = 'nofollow noopener noreferrer';

const TAGS = [
  ...[
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
    'p',
    'br',
    'hr',
    'div',
    'span',
    'blockquote',
    'pre',
    'section',
    'article',
  ],
  ...['ul', 'ol', 'li', 'dl', 'dt', 'dd', 'table', 'caption', 'thead', 'tbody', 'tfoot', 'tr', 'th', 'td'],
  ...[
    'a',
    'img',
    'figure',
    'figcaption',
    'details',
    'summary',
    'em',
    'strong',
    'b',
    'i',
    'u',
    's',
    'del',
    'ins',
  ],
  ...['code', 'kbd', 'samp', 'var', 'sub', 'sup', 'small', 'mark', 'abbr', 'cite', 'q', 'time'],
];

const CELL = ['align', 'colspan', 'rowspan'];

/**
 * HTML of which nothing runs, loads code or styles, submits, or frames: a list of what may stay, of which SVG, MathML,
 * styles, forms and every `on…` attribute are no part. Links go to http, https, mailto or the same site; no id stays.
 */
export function sanitize(html: string): string {
  return sanitizeHtml(html, {
    allowedTags: TAGS,
    allowedAttributes: {
      a: ['href', 'title', 'rel'],
      img: ['src', 'alt', 'title', 'width', 'height'],
      code: ['class'],
      ol: ['start'],
      th: CELL,
      td: CELL,
      abbr: ['title'],
      time: ['datetime'],
      details: ['open'],
    },
    // The language of a code block, as highlighters look for it.
    allowedClasses: { code: [/^language-[\w+#.-]{1,40}$/] },
    allowedSchemes: ['http', 'https', 'mailto'],
    allowedSchemesByTag: { img: ['http', 'https'] },
    allowProtocolRelative: false,
    disallowedTagsMode: 'discard',
    nonTextTags: [
      'script',
      'style',
      'textarea',
      'option',
      'noscript',
      'template',
      'title',
      'svg',
      'math',
      'iframe',
    ],
    nestingLimit: 200,
    transformTags: {
      a: (tagName, { href, rel: _, ...rest }) => ({
        tagName,
        attribs: { ...rest, ...(href !== undefined && { href: linkTo(href), rel: LINK_RELATION }) },
      }),
    },
  });
}

function linkTo(href: string): string {
  return href.startsWith('#') && href.length > 1 ? `#${ID_PREFIX}${href.slice(1)}` : href;
}
