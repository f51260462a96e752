/**
 * Files on their way into a message: checked, measured, and kept by the browser until they are sent.
 *
 * @typedef {import('@/timeline/outbox').UnsentFile} UnsentFile
 * @typedef {{ file: File, why: 'tooLarge' | 'tooMany' | 'empty' | 'folder' }} LeftOut
 */
import { dropFiles, fileOf, keepFile, sweepFiles } from '@/services/fileStore'
import { load, storage } from '@/services/storage'
import { prefixOf } from '@/services/texts'
import { FILES_MAX } from '@/text/attachments'

/** What the browser keeps without a draft or an unsent message that needs it goes after this time. */
const ORPHAN_MS = 24 * 60 * 60_000

/**
 * Which of some files a message may have.
 *
 * @template {{ size: number, type: string, isFolder?: boolean }} T
 * @param {T[]} files
 * @param {object} limits
 * @param {number} limits.count how many the message has already
 * @param {number} limits.maxBytes
 */
export function admitted(files, { count, maxBytes }) {
  /** @type {T[]} */
  const taken = []
  /** @type {{ file: T, why: LeftOut['why'] }[]} */
  const leftOut = []
  for (const file of files) {
    const why = faultOf(file, count + taken.length, maxBytes)
    if (why) leftOut.push({ file, why })
    else taken.push(file)
  }
  return { taken, leftOut }
}

/** @param {{ size: number, isFolder?: boolean }} file @param {number} count @param {number} maxBytes @returns {LeftOut['why'] | null} */
function faultOf({ size, isFolder }, count, maxBytes) {
  if (isFolder) return 'folder'
  if (size > maxBytes) return 'tooLarge'
  if (!size) return 'empty'
  return count >= FILES_MAX ? 'tooMany' : null
}

/**
 * Keeps files for a message, in their order.
 *
 * @param {number} ownerId
 * @param {File[]} files
 * @returns {Promise<UnsentFile[]>}
 */
export function stage(ownerId, files) {
  sweep(ownerId)
  return Promise.all(
    files.map(async (file) => {
      const key = newKey()
      const [isKept, box] = await Promise.all([keepFile(ownerId, key, file), measured(file)])
      return { key, name: nameOf(file), type: file.type, size: file.size, isKept, ...box }
    }),
  )
}

/** 24 hexadecimal digits. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Browsers call every pasted picture `image.png`, phones every photo `image.jpg`: its time tells it apart. @param {File} file */
function nameOf({ name, lastModified, type }) {
  if (name && !/^image\.(png|jpe?g)$/.test(name)) return name
  const at = new Date(lastModified)
  const two = (/** @type {number} */ part) => String(part).padStart(2, '0')
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-')
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join('-')
  return `picture-${day}-${time}.${type.split('/')[1]?.replace('jpeg', 'jpg') || 'png'}`
}

/** The size of a picture as it is shown; nothing of other files, and of pictures that the browser cannot show. @param {Blob} file */
async function measured(file) {
  if (!/^image\/(jpeg|png|gif|webp)$/.test(file.type)) return {}
  const url = URL.createObjectURL(file)
  try {
    const picture = new Image()
    // Not decoded: ten photos at once would take more memory than phones have.
    await new Promise((resolve, reject) =>
      Object.assign(picture, { onload: resolve, onerror: reject, src: url }),
    )
    return { width: picture.naturalWidth, height: picture.naturalHeight }
  } catch {
    return {}
  } finally {
    URL.revokeObjectURL(url)
  }
}

/**
 * Those of the files of a draft that are still there.
 *
 * @param {number} ownerId
 * @param {UnsentFile[]} files
 */
export async function stillThere(ownerId, files) {
  const found = await Promise.all(files.map(({ key }) => fileOf(ownerId, key)))
  return files.filter((_file, index) => found[index])
}

/** @param {number} ownerId @param {UnsentFile[]} files */
export const dropStaged = (ownerId, files) =>
  dropFiles(
    ownerId,
    files.map(({ key }) => key),
  )

/** Removes what crashed tabs have left. @param {number} ownerId */
function sweep(ownerId) {
  const prefixes = [prefixOf('draft', ownerId), prefixOf('outbox', ownerId)]
  const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '')
  const used = keys
    .filter((key) => prefixes.some((prefix) => key.startsWith(prefix)))
    .flatMap((key) => /** @type {UnsentFile[]} */ (load(key)?.files ?? []))
  sweepFiles(ownerId, new Set(used.map(({ key }) => key)), Date.now() - ORPHAN_MS)
}
