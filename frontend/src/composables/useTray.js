import { onScopeDispose, ref, shallowRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { useDrafts } from '@/stores/drafts'
import { useServer } from '@/stores/server'
import { useSession } from '@/stores/session'
import { useNotices } from './useNotices'

/** @typedef {import('@/timeline/outbox').UnsentFile} UnsentFile */

/** The code for files is loaded with the first one. */
const loadAdding = () => import('@/files/adding')

/**
 * The files that the next message of a chat will have.
 *
 * @param {number} chatId
 */
export function useTray(chatId) {
  const { t } = useI18n()
  const session = useSession()
  const server = useServer()
  const drafts = useDrafts()
  const { notify } = useNotices()
  const ownerId = /** @type {number} */ (session.userId)
  const files = shallowRef(/** @type {UnsentFile[]} */ ([]))
  /** How many files are being read. */
  const reading = ref(0)
  /** How many of those are taken. */
  let staging = 0
  let isLeft = false
  onScopeDispose(() => (isLeft = true))

  /** Takes the files of a draft, as far as the browser has kept them. @param {UnsentFile[]} kept */
  async function restore(kept) {
    if (!kept.length) return
    files.value = kept
    const { stillThere } = await loadAdding()
    const there = await stillThere(ownerId, kept)
    const lost = kept.filter((file) => !there.includes(file))
    if (!lost.length || isLeft) return
    files.value = files.value.filter((file) => !lost.includes(file))
    notify(t('files.notKept', { name: lost.map(({ name }) => name).join(', ') }))
  }

  /** Adds files; those that cannot be sent are named. @param {Iterable<File>} added */
  async function add(added) {
    const all = [...added]
    if (!all.length) return
    if (!server.info) await server.load()
    const maxBytes = server.info?.max_upload_bytes ?? 0
    if (!maxBytes) return notify(t('files.refused'))
    reading.value += all.length
    try {
      const { admitted, stage, whyLeftOut } = await loadAdding()
      const { taken, leftOut } = admitted(all, { count: files.value.length + staging, maxBytes })
      for (const text of whyLeftOut(leftOut, maxBytes)) notify(text)
      staging += taken.length
      const staged = await stage(ownerId, taken).finally(() => (staging -= taken.length))
      if (!isLeft) files.value = [...files.value, ...staged]
      else if (staged.length) drafts.addFiles(chatId, staged) // the user is in another chat by now
    } catch (error) {
      console.warn('Files could not be added:', error)
      notify(t('errors.not_loaded'))
    } finally {
      reading.value -= all.length
    }
  }

  /** Takes a file out of the message. @param {string} key */
  async function remove(key) {
    const gone = files.value.filter((file) => file.key === key)
    files.value = files.value.filter((file) => file.key !== key)
    const { dropStaged } = await loadAdding()
    dropStaged(ownerId, gone)
  }

  /** Moves a file within the message. @param {string} key @param {number} to */
  function move(key, to) {
    const rest = files.value.filter((file) => file.key !== key)
    const moved = files.value.filter((file) => file.key === key)
    files.value = [...rest.slice(0, to), ...moved, ...rest.slice(to)]
  }

  /** Hands the files over to a message. */
  function take() {
    const taken = files.value
    files.value = []
    return taken
  }

  return { files, reading, restore, add, remove, move, take }
}
