import { defineStore } from 'pinia'
import { reactive } from 'vue'
import api, { ApiError } from '@/services/api'
import { createOnce } from '@/services/once'
import { addressOf } from '@/services/http'

/**
 * @typedef {import('@/types').Attachment} Attachment
 * @typedef {Pick<Attachment, 'url' | 'thumbnail_url'>} Links
 */

/** A link that ends within this time counts as over: what it leads to may be large. */
const MARGIN_MS = 60_000

/** Whether a signed link is over, by the clock of this device. @param {string} url */
export function isOver(url) {
  const expires = Number(new URLSearchParams(url.split('?')[1]).get('expires'))
  return expires > 0 && expires * 1000 - MARGIN_MS < Date.now()
}

/** A link that was refused is not asked for again before this time. */
const AGAIN_MS = 30_000

/**
 * The links of files. Each is signed and runs out; another copy of the message may have another one. A file keeps the link
 * that it was shown with, so that it is not loaded twice, until the link is over.
 */
export const useFileLinks = defineStore('fileLinks', () => {
  /** Fresh links, by the id of the upload; null: the file is gone. @type {Map<string, Links | null>} */
  const links = reactive(new Map())
  /** The links with which files were shown first. @type {Map<string, Links>} */
  const first = new Map()
  /** When fresh links came, by id. @type {Map<string, number>} */
  const renewedAt = new Map()
  const once = createOnce()

  /** @param {Attachment} attachment @returns {Links | null} */
  function linksOf({ id, url, thumbnail_url }) {
    const known = links.get(id) ?? first.get(id)
    if (links.get(id) === null) return null
    if (known && !isOver(known.url)) return known
    if (isOver(url)) renew(id)
    else first.set(id, { url, thumbnail_url })
    return { url, thumbnail_url }
  }

  /**
   * Requests fresh links, unless it did so a moment ago. Resolves to whether there are some.
   *
   * @param {string} id
   */
  async function renew(id) {
    if (Date.now() - (renewedAt.get(id) ?? -Infinity) < AGAIN_MS) return false
    try {
      const fresh = await once.any(id, () => api.get(`/uploads/${id}/urls`))
      renewedAt.set(id, Date.now())
      links.set(id, fresh)
      return true
    } catch (error) {
      if (error instanceof ApiError && error.code === 'not_found') links.set(id, null)
      return false
    }
  }

  /** The address of a file; empty: it is gone. @param {Attachment} attachment */
  function addressOfFile(attachment) {
    const found = linksOf(attachment)
    return found ? addressOf(found.url) : ''
  }

  /** The address of the small picture of a file, or of the file if there is none. @param {Attachment} attachment */
  function addressOfThumbnail(attachment) {
    const found = linksOf(attachment)
    return found ? addressOf(found.thumbnail_url ?? found.url) : ''
  }

  /** @param {Attachment} attachment */
  const isGone = ({ id }) => links.get(id) === null

  return { addressOfFile, addressOfThumbnail, isGone, renew }
})
