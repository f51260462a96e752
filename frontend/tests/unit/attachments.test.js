import { beforeEach, describe, expect, test } from 'vitest'
import { i18n, setLanguage } from '@/i18n'
import { blocksOf, boxOf, kindOf, nameParts, typeWordOf, wordsOfFiles } from '@/text/attachments'
import { summaryOf } from '@/text/summary'

const { t } = i18n.global
const file = (content_type, more = {}) => ({
  id: 'x',
  name: 'a.bin',
  content_type,
  size: 1,
  url: '/',
  ...more,
})
const picture = (more = {}) => file('image/png', { width: 100, height: 50, ...more })

beforeEach(() => setLanguage('en'))

test.each([
  [picture(), 'picture'],
  [file('image/png'), 'file'],
  [file('image/svg+xml', { width: 1, height: 1 }), 'file'],
  [file('image/heic', { width: 1, height: 1 }), 'file'],
  [file('video/mp4'), 'video'],
  [file('video/x-msvideo'), 'file'],
  [file('audio/ogg'), 'audio'],
  [file('text/html'), 'file'],
  [file(''), 'file'],
])('%o is a %s', (one, kind) => expect(kindOf(one)).toBe(kind))

describe('blocks', () => {
  const drawn = (attachments) =>
    blocksOf(attachments).map(({ kind, tiles }) => `${kind} ${tiles.map(({ index }) => index).join('')}`)

  test('pictures that follow one another are an album, in the order of the sender', () => {
    expect(drawn([picture(), picture(), file('a/b'), picture(), file('video/mp4')])).toEqual([
      'picture 01',
      'file 2',
      'picture 3',
      'video 4',
    ])
  })

  test.each([
    [2, [2]],
    [3, [3]],
    [4, [2, 2]],
    [5, [2, 3]],
    [6, [3, 3]],
    [7, [2, 2, 3]],
    [8, [2, 3, 3]],
    [9, [3, 3, 3]],
    [10, [2, 2, 3, 3]],
  ])('%i pictures stand in rows of %o', (count, rows) => {
    const [{ wide }] = blocksOf(Array.from({ length: count }, () => picture()))
    expect([...Array(wide / 2).fill(2), ...Array((count - wide) / 3).fill(3)]).toEqual(rows)
  })
})

test.each([
  [
    { width: 4000, height: 3000 },
    { width: 420, height: 315 },
  ],
  [
    { width: 3000, height: 4000 },
    { width: 270, height: 360 },
  ],
  [
    { width: 300, height: 200 },
    { width: 300, height: 200 },
  ],
  [
    { width: 16, height: 16 },
    { width: 140, height: 96 },
  ],
  [
    { width: 10_000, height: 10 },
    { width: 420, height: 96 },
  ],
  [
    { width: 10, height: 10_000 },
    { width: 140, height: 360 },
  ],
])('a picture of %o has a box of %o', (size, box) => expect(boxOf(size)).toEqual(box))

test.each([
  ['report.pdf', 'application/pdf', 'PDF'],
  ['archive.tar.gz', '', 'GZ'],
  ['README', 'text/plain', 'PLAIN'],
  ['README', 'application/octet-stream', ''],
  ['отчёт.док', '', 'ДОК'],
  ['a. b', 'application/zip', 'ZIP'],
])('%s of %s is called %s', (name, content_type, word) =>
  expect(typeWordOf({ name, content_type })).toBe(word),
)

test.each([
  ['holidays.jpeg', ['holiday', 's.jpeg']],
  ['a.b', ['a.', 'b']],
  ['x', ['x', '']],
  ['no ending at all', ['no ending at', ' all']],
  ['😀😀😀😀😀😀😀😀.png', ['😀😀😀😀😀😀', '😀😀.png']],
])('%s is split before its end', (name, parts) => expect(nameParts(name)).toEqual(parts))

describe('in words', () => {
  test.each([
    [[picture()], 'Picture'],
    [[picture(), picture()], '2 pictures'],
    [[file('video/webm')], 'Video'],
    [[file('application/pdf', { name: 'report.pdf' })], 'report.pdf'],
    [[picture(), file('application/pdf')], '2 files'],
    [[], ''],
  ])('%o', (attachments, words) => expect(wordsOfFiles({ attachments }, t)).toBe(words))

  test('a server of before attachments has types', () => {
    expect(wordsOfFiles({ message_type: 'image' }, t)).toBe('Picture')
    expect(wordsOfFiles({ message_type: 'file' }, t)).toBe('File')
    expect(wordsOfFiles({ message_type: 'text' }, t)).toBe('')
  })

  test('with the text of the message', () => {
    expect(summaryOf({ content: '**the** lake', attachments: [picture()] })).toBe('Picture · the lake')
    expect(summaryOf({ content: '', attachments: [picture()] })).toBe('Picture')
    expect(summaryOf({ content: 'no file' })).toBe('no file')
  })

  test('with Russian plurals', async () => {
    await setLanguage('ru')
    const words = (count) => wordsOfFiles({ attachments: Array.from({ length: count }, () => picture()) }, t)
    expect([1, 2, 5].map(words)).toEqual(['Изображение', '2 изображения', '5 изображений'])
  })
})
