import { describe, expect, test } from 'vitest'
import { admitted } from '@/files/stage'
import { FILES_MAX } from '@/text/attachments'
import { filesOfPaste } from '@/composables/useFileDrop'

const file = (name, size = 10, more = {}) => ({ name, size, type: '', ...more })

describe('which files a message may have', () => {
  const why = (files, count = 0) =>
    admitted(files, { count, maxBytes: 100 }).leftOut.map(({ file, why }) => `${file.name} ${why}`)
  const taken = (files, count = 0) => admitted(files, { count, maxBytes: 100 }).taken.map(({ name }) => name)

  test('those up to the largest size, that are not empty', () => {
    const files = [file('a', 100), file('b', 101), file('c', 0), file('d', 1)]
    expect(taken(files)).toEqual(['a', 'd'])
    expect(why(files)).toEqual(['b tooLarge', 'c empty'])
  })

  test('no folders, whatever their size', () => {
    expect(why([file('holidays', 4096, { isFolder: true })])).toEqual(['holidays folder'])
  })

  test('at most ten, with those that it has', () => {
    const files = Array.from({ length: 4 }, (_, index) => file(`f${index}`))
    expect(taken(files, FILES_MAX - 2)).toEqual(['f0', 'f1'])
    expect(why(files, FILES_MAX - 2)).toEqual(['f2 tooMany', 'f3 tooMany'])
    expect(taken(files, FILES_MAX)).toEqual([])
  })

  test('one that is left out does not count', () => {
    expect(taken([file('large', 999), file('a')], FILES_MAX - 1)).toEqual(['a'])
  })
})

describe('a paste', () => {
  const picture = file('image.png')
  const pasted = (...types) => filesOfPaste({ types, files: [picture] })

  test('of a picture or a file attaches it', () => {
    expect(pasted('Files')).toEqual([picture])
    expect(pasted('text/html', 'Files')).toEqual([picture]) // copied in a browser
    expect(pasted('text/plain', 'Files')).toEqual([picture]) // a file, with its name
  })

  test('of a formatted text is text, also with a picture of it', () => {
    expect(pasted('text/plain', 'text/html', 'Files')).toEqual([])
    expect(pasted('text/plain', 'text/rtf', 'Files')).toEqual([])
  })

  test('of nothing is nothing', () => {
    expect(filesOfPaste(null)).toEqual([])
    expect(filesOfPaste({ types: ['text/plain'], files: [] })).toEqual([])
  })
})
