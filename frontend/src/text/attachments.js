/**
 * What the files of a message are, where they stand in its bubble, and what they are called in one line of text.
 *
 * @typedef {import('@/types').Attachment} Attachment
 * @typedef {'picture' | 'video' | 'audio' | 'file'} Kind
 * @typedef {{ attachment: Attachment, index: number }} Tile an attachment and its place among those of the message
 * @typedef {{ kind: Kind, wide: number, tiles: Tile[] }} Block pictures that follow one another, or one other file; `wide`: so
 *   many of the pictures, the first ones, stand in rows of two, the others in rows of three
 */

/** The most that the server takes in one message. */
export const FILES_MAX = 10

const PICTURES = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])
/** What browsers may play, and the server lets them play. */
const PLAYED = /^(audio\/(aac|flac|mp4|mpeg|ogg|wav|webm)|video\/(mp4|ogg|quicktime|webm))$/

/** @param {Pick<Attachment, 'content_type' | 'width' | 'height'>} attachment @returns {Kind} */
export function kindOf({ content_type, width, height }) {
  if (PICTURES.has(content_type) && width && height) return 'picture'
  if (!PLAYED.test(content_type)) return 'file'
  return content_type.startsWith('audio/') ? 'audio' : 'video'
}

/**
 * The blocks of a bubble, from top to bottom.
 *
 * @param {Attachment[]} attachments
 * @returns {Block[]}
 */
export function blocksOf(attachments) {
  /** @type {Block[]} */
  const blocks = []
  attachments.forEach((attachment, index) => {
    const kind = kindOf(attachment)
    const last = blocks.at(-1)
    if (kind === 'picture' && last?.kind === 'picture') last.tiles.push({ attachment, index })
    else blocks.push({ kind, wide: 0, tiles: [{ attachment, index }] })
  })
  for (const block of blocks) block.wide = wideOf(block.tiles.length)
  return blocks
}

/** No row has a place left over, and none has a picture alone. @param {number} count */
function wideOf(count) {
  if (count === 1) return 0
  return count % 3 === 2 ? 2 : count % 3 === 1 ? 4 : 0
}

const LARGEST = { width: 420, height: 360 }
const SMALLEST = { width: 140, height: 96 }

/**
 * The box of a picture that stands alone, in px. It has the shape of the picture, but for those that are very long or very
 * small.
 *
 * @param {{ width: number, height: number }} picture
 */
export function boxOf({ width, height }) {
  const scale = Math.min(1, LARGEST.width / width, LARGEST.height / height)
  return {
    width: Math.round(Math.max(SMALLEST.width, width * scale)),
    height: Math.round(Math.max(SMALLEST.height, height * scale)),
  }
}

/** What a file is, in a few letters: the ending of its name, or else of its type. @param {{ name: string, content_type: string }} file */
export function typeWordOf({ name, content_type }) {
  const [, ending] = /\.([\p{L}\p{N}]{1,6})$/u.exec(name) ?? []
  if (ending) return ending.toUpperCase()
  const subtype = content_type.split('/')[1] ?? ''
  return /^[a-z\d]{1,6}$/.test(subtype) ? subtype.toUpperCase() : ''
}

/**
 * The beginning and the end of a file name: the end stays in sight where the name is too long for its place.
 *
 * @param {string} name
 * @returns {[string, string]}
 */
export function nameParts(name) {
  const characters = [...name]
  const ending = /\.[^.\s]{1,6}$/u.exec(name)?.[0] ?? ''
  const tail = Math.min([...ending].length + 4, Math.floor(characters.length / 2))
  return [
    characters.slice(0, characters.length - tail).join(''),
    tail ? characters.slice(-tail).join('') : '',
  ]
}

/**
 * The files of a message in words: `Picture`, `3 pictures`, the name of a file, `2 files`. Empty if it has none.
 *
 * @param {{ attachments?: Attachment[], message_type?: string }} message
 * @param {(key: string, count?: number) => string} t
 */
export function wordsOfFiles({ attachments = [], message_type }, t) {
  if (!attachments.length) {
    // A server of before files has no attachments, but may have the type.
    if (message_type === 'image') return t('files.picture')
    return message_type === 'file' ? t('files.file') : ''
  }
  const kinds = new Set(attachments.map(kindOf))
  const count = attachments.length
  if (kinds.size === 1 && kinds.has('picture'))
    return count === 1 ? t('files.picture') : t('files.pictures', count)
  if (count > 1) return t('files.count', count)
  return kinds.has('video') ? t('files.video') : attachments[0].name
}
