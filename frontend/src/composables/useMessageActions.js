import { ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { textOf } from '@/i18n/errors'
import { copyText } from '@/services/clipboard'
import websocket from '@/services/websocket'
import { useSession } from '@/stores/session'
import { useConfirm } from './useConfirm'
import { useNotices } from './useNotices'

/** @typedef {import('@/timeline/messageWindow').Message} Message */

/**
 * What can be done with a message of the open chat, and what is being done: written as a reply, or edited.
 *
 * @param {object} room
 * @param {import('@/stores/timelines').Timeline} room.timeline
 * @param {import('vue').Ref<any>} room.chat
 * @param {() => void} room.onWrite the composer is wanted
 * @param {(messageId: number) => void} room.onShow a message is wanted before the eyes
 */
export function useMessageActions({ timeline, chat, onWrite, onShow }) {
  const { t } = useI18n()
  const session = useSession()
  const { confirm } = useConfirm()
  const { notify } = useNotices()
  /** The message that is answered, by id. */
  const replyTo = ref(/** @type {number | null} */ (null))
  /** The message that is edited, as it was when that began. @type {import('vue').Ref<{ id: number, content: string } | null>} */
  const editing = ref(null)

  /** @param {Message} message */
  const canEdit = (message) => message.sender_id === session.userId && message.message_type === 'text'
  /** @param {Message} message */
  const canDelete = (message) => message.sender_id === session.userId || chat.value.role !== 'member'
  const canWrite = () => chat.value.chat_type !== 'channel' || chat.value.role !== 'member'

  /** @param {Message} message */
  function reply(message) {
    editing.value = null
    replyTo.value = message.id
    onWrite()
  }

  /** @param {Message} message */
  function edit(message) {
    replyTo.value = null
    editing.value = message
    onWrite()
  }

  /** One's last message, if there is one at hand. */
  function editLast() {
    const last = timeline.state.messages.findLast(canEdit)
    if (last) edit(last)
  }

  function cancel() {
    replyTo.value = null
    editing.value = null
  }

  /**
   * Resolves to what came of it: what is as it was need not be saved; of a deleted message nothing can become.
   *
   * @param {{ id: number, content: string }} message as it was when the edit began
   * @param {string} content
   * @returns {Promise<'done' | 'failed' | 'gone'>}
   */
  async function saveEdit(message, content) {
    if (content === message.content || content === timeline.get(message.id)?.content) return 'done'
    try {
      const ack = await websocket.request({ type: 'edit_message', message_id: message.id, content })
      timeline.put(ack.message)
      return 'done'
    } catch (error) {
      if (/** @type {any} */ (error).code === 'not_found') return 'gone'
      tellFailure(error)
      return 'failed'
    }
  }

  /** @param {Message} message */
  async function remove(message) {
    const isSure = await confirm({
      title: t('chat.deleteTitle'),
      text: t('chat.deleteText'),
      action: t('chat.delete'),
    })
    if (!isSure) return
    await attempt(() => websocket.request({ type: 'delete_message', message_id: message.id }))
  }

  /** @param {Message} message */
  async function copy(message) {
    notify(t((await copyText(message.content)) ? 'chat.copied' : 'chat.notCopied'))
  }

  /** @param {() => Promise<unknown>} act */
  async function attempt(act) {
    try {
      await act()
    } catch (error) {
      tellFailure(error)
    }
  }

  /** @param {unknown} error */
  function tellFailure(error) {
    notify(textOf(/** @type {any} */ (error), { disconnected: 'errors.network', timeout: 'errors.network' }))
  }

  const show = onShow
  return {
    replyTo,
    editing,
    canEdit,
    canDelete,
    canWrite,
    reply,
    edit,
    editLast,
    cancel,
    saveEdit,
    remove,
    copy,
    show,
  }
}
