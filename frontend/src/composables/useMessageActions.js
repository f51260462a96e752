import { ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRouter } from 'vue-router'
import { textOf } from '@/i18n/errors'
import { copyText } from '@/services/clipboard'
import websocket from '@/services/websocket'
import { useSession } from '@/stores/session'
import { useUsers } from '@/stores/users'
import { useConfirm } from './useConfirm'
import { useDialogs } from './useDialogs'
import { useMute } from './useMute'
import { useNotices } from './useNotices'

/**
 * @typedef {import('@/types').Failure} Failure
 * @typedef {import('@/types').Message} Message
 */

/**
 * The actions on a message of the open chat, and the message that is being answered or edited.
 *
 * @param {object} options
 * @param {import('@/stores/timelines').Timeline} options.timeline
 * @param {import('vue').Ref<import('@/types').Chat>} options.chat
 * @param {() => void} options.onWrite moves the focus to the composer
 * @param {(messageId: number) => void} options.onShow goes to a message
 */
export function useMessageActions({ timeline, chat, onWrite, onShow }) {
  const { t } = useI18n()
  const router = useRouter()
  const session = useSession()
  const users = useUsers()
  const dialogs = useDialogs()
  const { confirm } = useConfirm()
  const { notify } = useNotices()
  /** The id of the message that is being answered. */
  const replyTo = ref(/** @type {number | null} */ (null))
  /**
   * The message that is being edited, as it was when the edit began.
   *
   * @type {import('vue').Ref<Pick<Message, 'id' | 'content' | 'attachments'> | null>}
   */
  const editing = ref(null)

  /** Until when the user may not write here. */
  const mutedUntil = useMute(() => chat.value?.muted_until)

  /** @param {Message} message */
  const canEdit = (message) =>
    message.sender_id === session.userId && message.message_type !== 'system' && !mutedUntil.value
  /** @param {Message} message */
  const canDelete = (message) => message.sender_id === session.userId || chat.value.role !== 'member'
  const hasVoice = () => chat.value.chat_type !== 'channel' || chat.value.role !== 'member'
  const canWrite = () => hasVoice() && !mutedUntil.value
  const canReact = () => !mutedUntil.value
  const canPin = () => chat.value.chat_type === 'private' || chat.value.role !== 'member'

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

  /** Edits the user's last message, if it is loaded. */
  function editLast() {
    const last = timeline.state.messages.findLast(canEdit)
    if (last) edit(last)
  }

  function cancel() {
    replyTo.value = null
    editing.value = null
  }

  /**
   * Saves an edit. An unchanged text is not sent. Resolves to `gone` if the message is deleted.
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
      if (/** @type {Failure} */ (error).code === 'not_found') return 'gone'
      showFailure(error)
      return 'failed'
    }
  }

  /** @param {Message} message */
  async function remove(message) {
    const isOwn = message.sender_id === session.userId
    const isSure = await confirm({
      title: isOwn ? t('chat.deleteTitle') : t('chat.deleteOther', { name: users.nameOf(message.sender_id) }),
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

  /** Copies the address at which the client opens a message. @param {Message} message */
  async function copyLink({ id, chat_id }) {
    const { href } = router.resolve({ name: 'chat', params: { chatId: chat_id }, query: { message: id } })
    notify(t((await copyText(location.origin + href)) ? 'chat.linkCopied' : 'chat.notCopied'))
  }

  /** Pins a message, or ends its pin. @param {Message} message @returns {Promise<boolean>} whether it succeeded */
  async function togglePin({ id, pinned }) {
    const type = pinned ? 'unpin_message' : 'pin_message'
    try {
      const ack = await websocket.request({ type, message_id: id })
      timeline.put(ack.message)
      return true
    } catch (error) {
      showFailure(error, { conflict: 'pins.tooMany' })
      return false
    }
  }

  /** Shows what an edited message said before. @param {Message} message */
  const showHistory = ({ id }) => dialogs.open('messageHistory', { timeline, messageId: id })

  /** Shows a picture, and from there the others that are loaded. @param {Message} message @param {string} attachmentId */
  const showPicture = ({ id }, attachmentId) =>
    dialogs.open('gallery', { timeline, messageId: id, attachmentId })

  /** Shows who reacts to a message. @param {Message} message */
  const showReactions = ({ id }) => dialogs.open('reactions', { timeline, messageId: id })

  /** @param {() => Promise<unknown>} act */
  async function attempt(act) {
    try {
      await act()
    } catch (error) {
      showFailure(error)
    }
  }

  /** @param {unknown} error @param {Record<string, string>} [words] for codes that mean something special */
  function showFailure(error, words = {}) {
    const lost = { disconnected: 'errors.network', timeout: 'errors.network' }
    notify(textOf(/** @type {Failure} */ (error), { ...lost, ...words }))
  }

  const show = onShow
  return {
    replyTo,
    editing,
    mutedUntil,
    canEdit,
    canDelete,
    canWrite,
    canReact,
    canPin,
    reply,
    edit,
    editLast,
    cancel,
    saveEdit,
    remove,
    copy,
    copyLink,
    togglePin,
    showHistory,
    showReactions,
    showPicture,
    show,
  }
}
