/** The files of a message that the server does not have yet. @typedef {import('./outbox').Entry} Entry */

/** Whether all files of an entry are uploaded. @param {Entry} entry */
export const isUploaded = ({ files = [] }) => files.every(({ uploadId }) => uploadId)

/** The keys under which the browser keeps them. @param {Entry} entry */
export const keysOf = ({ files = [] }) => files.map(({ key }) => key)
