import { describe, expect, test } from 'vitest'
import { formatted, plainText } from '@/text/format'

const TAGS = { bold: 'b', italic: 'i', strike: 's', code: 'code', quote: 'quote', mention: 'at' }

/** The nodes as text with tags. */
const shown = (nodes) =>
  nodes
    .map((node) => {
      const { kind, text, children } = node
      const inner = children ? shown(children) : text
      if (kind === 'text') return text
      if (kind === 'codeBlock') return `<pre${node.language ? ` ${node.language}` : ''}>${text}</pre>`
      if (kind === 'link') return node.label ? `<a ${node.href}>${node.label}</a>` : `<a>${node.href}</a>`
      if (kind === 'list') return node.isOrdered ? `<ol>${inner}</ol>` : `<ul>${inner}</ul>`
      if (kind === 'item') return `<li${node.number === undefined ? '' : ` ${node.number}`}>${inner}</li>`
      return `<${TAGS[kind]}>${inner}</${TAGS[kind]}>`
    })
    .join('')
const show = (text) => shown(formatted(text))

describe('in a line', () => {
  test.each([
    ['plain', 'plain'],
    ['**bold** and *it* and _it_ and ~~out~~', '<b>bold</b> and <i>it</i> and <i>it</i> and <s>out</s>'],
    ['***both***', '<b><i>both</i></b>'],
    ['**bold *it***', '<b>bold <i>it</i></b>'],
    ['*it **bold***', '<i>it <b>bold</b></i>'],
    ['**a _b ~~c~~ d_ e**', '<b>a <i>b <s>c</s> d</i> e</b>'],
    ['(**a**, "_b_")', '(<b>a</b>, "<i>b</i>")'],
    ['**Вместе:** _так_', '<b>Вместе:</b> <i>так</i>'],
    ['这是**重点**内容', '这是<b>重点</b>内容'],
    ['👍**yes**', '👍<b>yes</b>'],
    ['**`a*b`**', '<b><code>a*b</code></b>'],
    ['**שלום** _مرحبا_', '<b>שלום</b> <i>مرحبا</i>'],
    ['*👍*', '<i>👍</i>'],
    ['*a\nb*', '*a\nb*'],
  ])('%s', (text, expected) => expect(show(text)).toBe(expected))

  test.each([
    '2*3*4, 2 * 3 * 4, 2**3**4',
    'snake_case_name and __init__.py',
    '**kwargs, *args',
    'f(*args, **kwargs)',
    '¯\\_(ツ)_/¯',
    '^_^ and ^_^',
    '(*^_^*) -_- T_T >_< *_* o_O ;_;',
    '**** ___ ~~~~ ** * _ ~~',
    '** not bold **',
    '*.py and *.js',
    'src/*.js and lib/*.css, "*.js" and "*.css", **/*.ts and **/*.vue',
    '/* no comment */ and /*this*/',
    '\\*as typed\\*',
    '~/path and ~user/',
    '**"!!!"**',
    '*a **b*  c',
    '> no quote'.slice(1),
    '5 > 3\n>_< 3\n>>> python',
    '-5 degrees\n--- \n1.5 litres\n- \n1)',
    '<b>no HTML</b> &amp; <img src=x onerror=alert(1)>',
    'user@example.org',
    '\u202e**',
  ])('leaves alone: %j', (text) => {
    const [node, ...others] = formatted(text)
    if (text.startsWith('*a **b*')) return expect(show(text)).toBe('<i>a **b</i>  c')
    expect([node, others]).toEqual([{ kind: 'text', text }, []])
  })

  test('of pairs that overlap, the one that ends first counts', () =>
    expect(show('**a _b** c_')).toBe('<b>a _b</b> c_'))

  test('of two that begin, the later one counts', () => expect(show('*a *b*')).toBe('*a <i>b</i>'))
})

describe('code', () => {
  test.each([
    ['`a`', '<code>a</code>'],
    ['`` a`b ``', '<code>a`b</code>'],
    ['` `', '<code> </code>'],
    ['`**a** @bob https://x.org`', '<code>**a** @bob https://x.org</code>'],
    ['`a ``b', '`a ``b'],
    ['``a` b`', '``a<code> b</code>'],
    ['`a\nb`', '<code>a\nb</code>'],
    ['```one line```', '<code>one line</code>'],
    ['```\na\n```', '<pre>a</pre>'],
    ['```js\nlet a\n```', '<pre js>let a</pre>'],
    ['```js\n```', '<pre>js</pre>'],
    ['```two words\nlet a\n```', '<pre>two words\nlet a</pre>'],
    ['see ```\n  a\n\n b\n``` there', 'see<pre>  a\n\n b</pre> there'],
    ['before\n\n```\na\n```\n\n  after', 'before<pre>a</pre>  after'],
    ['````\n```\na\n```\n````', '<pre>```\na\n```</pre>'],
    ['```\nnot closed', '```\nnot closed'],
    ['```\n```\n```\na\n```', '<pre></pre><pre>a</pre>'],
    ['  ```\n  a\n    b\n  ```', '<pre>a\n  b</pre>'],
  ])('%j', (text, expected) => expect(show(text)).toBe(expected))
})

describe('blocks', () => {
  test.each([
    ['> a\n> **b**\n\nc', '<quote>a\n<b>b</b></quote>c'],
    ['a\n> b\nc', 'a<quote>b</quote>c'],
    ['> a\n>\n> b', '<quote>a\n\nb</quote>'],
    ['> > a\n> b', '<quote><quote>a</quote>b</quote>'],
    ['> ```\n> a\n> ```', '<quote><pre>a</pre></quote>'],
    ['> - a\n> - b', '<quote><ul><li>a</li><li>b</li></ul></quote>'],
    ['- a\n- b', '<ul><li>a</li><li>b</li></ul>'],
    ['* a\n* *b*', '<ul><li>a</li><li><i>b</i></li></ul>'],
    ['1. a\n2. b', '<ol><li 1>a</li><li 2>b</li></ol>'],
    ['7. a\n3. b', '<ol><li 7>a</li><li 3>b</li></ol>'],
    ['1986. A great year', '<ol><li 1986>A great year</li></ol>'],
    ['to do:\n- a\n  more of a\n- b\n\nend', 'to do:<ul><li>a\nmore of a</li><li>b</li></ul>end'],
    ['- a\n  - b\n    1. c\n- d', '<ul><li>a<ul><li>b<ol><li 1>c</li></ol></li></ul></li><li>d</li></ul>'],
    ['- a\n1. b', '<ul><li>a</li></ul><ol><li 1>b</li></ol>'],
    ['- a\n  ```\n  b\n  ```\n- c', '<ul><li>a<pre>b</pre></li><li>c</li></ul>'],
    ['    four\n        eight\n', '    four\n        eight\n'],
    ['a\n\n\nb', 'a\n\n\nb'],
  ])('%j', (text, expected) => expect(show(text)).toBe(expected))

  test('end somewhere: of quotes and lists in one another only a few are shown', () => {
    expect(show('> '.repeat(9) + 'a').match(/<quote>/g)).toHaveLength(3)
    const lists = Array.from({ length: 30 }, (_, depth) => `${'  '.repeat(depth)}- a`).join('\n')
    const depthOf = (nodes) => 1 + Math.max(0, ...nodes.map(({ children = [] }) => depthOf(children)))
    expect(depthOf(formatted(lists))).toBeLessThan(12)
  })
})

describe('links and mentions', () => {
  test.each([
    ['**https://example.org/a_b**', '<b><a>https://example.org/a_b</a></b>'],
    ['_see https://example.org/a_', '<i>see <a>https://example.org/a</a></i>'],
    ['https://example.org/a_', '<a>https://example.org/a_</a>'],
    ['https://example.org/*', '<a>https://example.org/*</a>'],
    ['[docs](https://example.org/a_(b)) x', '<a https://example.org/a_(b)>docs</a> x'],
    ['**[docs](https://example.org)**', '<b><a https://example.org>docs</a></b>'],
    ['[a](javascript:alert(1))', '[a](javascript:alert(1))'],
    ['[a](https://user@example.org)', '[a](https://user@example.org)'],
    ['[https://a.org](https://b.org)', '[https://a.org](https://b.org)'],
    ['hi @bob, @ann.', 'hi <at>@bob</at>, <at>@ann.</at>'],
    ['**@bob**', '<b><at>@bob</at></b>'],
    ['a@bob @боб @bobя ..@bob', 'a@bob @боб @bobя ..@bob'],
  ])('%s', (text, expected) => expect(show(text)).toBe(expected))

  test('the text of a link cannot hide its host or change the direction', () => {
    const [link] = formatted('[bank\u202e](https://evil.example/a)')
    expect(link).toMatchObject({ label: 'bank', pieces: ['https://', 'evil.example', '/a'] })
  })
})

test.each([
  ['**a** _b_ `c` [d](https://d.org)', 'a b c d'],
  ['> a\n- b\n- c\n```js\nd\n```\ne', 'a\nb\nc\nd\ne'],
  ['2*3*4', '2*3*4'],
])('the plain text of %j', (text, expected) => expect(plainText(text)).toBe(expected))

describe('takes time that grows with the length', () => {
  const LENGTH = 100_000
  // With the square of the length, one of these would take minutes: the test's own time limit fails it.
  test.each(
    [
      ...[
        '*',
        '**a ',
        '*a **b ',
        '_a *b ~~c ',
        '*a* ',
        '`',
        '`a',
        '`` ` ',
        '``` \n',
        '[',
        '[a](',
        '[a](https://a',
      ],
      ...[
        '[a](https://a(',
        '> ',
        '> > a\n',
        '- a\n',
        '  - a\n',
        ' ',
        '\n',
        ' \n',
        '\t',
        '1. a\n  b\n',
        '@',
        '@a.',
        '@a ',
      ],
      ...[
        'https://a.b/ ',
        'https://a_',
        '***a ',
        '***a*** ',
        '> ```\n',
        '```\n\n',
        '\u202e*',
        'я_',
        '漢*',
        '1',
        '-',
        '~~',
      ],
    ].map((piece) => [piece]),
  )('%j', (piece) => {
    const text = piece.repeat(LENGTH / piece.length)
    expect(plainText(text).length).toBeGreaterThanOrEqual(0)
  })
})
