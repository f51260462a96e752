/** Messages that the server does not have yet. @typedef {import('./outbox').Entry} Entry */

/** What a page before this one has stored. @param {import('./outbox').Services['storage']} storage @param {string} prefix of the keys */
export function storedEntries(storage, prefix) {
  const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '')
  const found = keys.filter((key) => key.startsWith(prefix)).map((key) => storage.getItem(key) ?? '')
  return found
    .map((text) => /** @type {Entry} */ (JSON.parse(text)))
    .sort((a, b) => a.writtenAt - b.writtenAt)
}

/** Whether the server was restored from a backup since an entry was written. @param {Entry} entry @param {{ epoch: string | null }} state */
export const isOfBefore = (entry, { epoch }) => Boolean(epoch && entry.epoch && entry.epoch !== epoch)

/** Whether all files of an entry are uploaded. @param {Entry} entry */
export const isUploaded = ({ files = [] }) => files.every(({ uploadId }) => uploadId)

/** The keys under which the browser keeps them. @param {Entry} entry */
export const keysOf = ({ files = [] }) => files.map(({ key }) => key)
