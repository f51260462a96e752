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

/** Links of a file are not requested again before this time. */
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
    const fresh = links.get(id)
    if (fresh === null) return null
    const own = { url, thumbnail_url }
    const good = [fresh, first.get(id), own].find((one) => one && !isOver(one.url))
    if (!good) request(id)
    else if (good === own) first.set(id, own)
    // By a clock that is wrong, the links that have just come may seem to be over.
    return good ?? fresh ?? own
  }

  /** Requests fresh links, unless it did so a moment ago. Resolves to whether the server has answered. @param {string} id */
  async function request(id) {
    if (Date.now() - (renewedAt.get(id) ?? -Infinity) < AGAIN_MS) return true
    try {
      const fresh = await once.any(id, () => api.get(`/uploads/${id}/urls`))
      renewedAt.set(id, Date.now())
      links.set(id, fresh)
      return true
    } catch (error) {
      const isGone = error instanceof ApiError && error.code === 'not_found'
      if (isGone) links.set(id, null)
      return isGone
    }
  }

  /**
   * Asks for links in place of one that did not work. The server gives the same link to everybody for some hours, so what
   * failed with the present one fails for another reason.
   *
   * @param {string} id
   * @param {string} failed the address that did not work
   * @returns {Promise<'renewed' | 'same' | 'gone' | 'unknown'>} `unknown`: the server does not answer
   */
  async function renew(id, failed) {
    const isAnswered = await request(id)
    const fresh = links.get(id)
    if (fresh === null) return 'gone'
    if (!isAnswered || !fresh) return 'unknown'
    const addresses = [fresh.url, fresh.thumbnail_url ?? fresh.url].map(addressOf)
    return addresses.includes(failed) ? 'same' : 'renewed'
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
