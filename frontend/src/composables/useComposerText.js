import { nextTick, ref, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { joined } from '@/services/texts'
import { useDrafts } from '@/stores/drafts'
import { useNotices } from './useNotices'

/**
 * The text in the composer: the draft of the chat, or the edit of a message, in whose place the draft comes back. Both are
 * stored at each change, and so are the files of the draft.
 *
 * @param {number} chatId
 * @param {import('@/stores/timelines').Timeline} timeline
 * @param {ReturnType<typeof import('./useMessageActions').useMessageActions>} actions
 * @param {ReturnType<typeof import('./useTray').useTray>} tray
 */
export function useComposerText(chatId, timeline, actions, tray) {
  const { t } = useI18n()
  const drafts = useDrafts()
  const { notify } = useNotices()
  const { editing, replyTo } = actions

  const draft = drafts.get(chatId)
  replyTo.value = draft.replyTo
  editing.value = draft.edit?.message ?? null
  const text = ref(draft.edit?.text ?? draft.text)
  /** The draft, while an edit is in the text field. */
  let setAside = draft.text
  tray.restore(draft.files ?? [])

  // Before the watcher that stores the text: the text changes here.
  watch(editing, (message, before) => {
    if (!before) setAside = text.value
    text.value = message ? message.content : setAside
  })

  watch([text, replyTo, editing, tray.files], () => {
    const edit = editing.value && {
      message: {
        id: editing.value.id,
        content: editing.value.content,
        ...(editing.value.attachments?.length && { attachments: editing.value.attachments }),
      },
      text: text.value,
    }
    const files = tray.files.value
    const draft = { text: edit ? setAside : text.value, replyTo: replyTo.value, edit }
    drafts.set(chatId, files.length ? { ...draft, files } : draft)
  })

  // When the message of an edit is deleted, its new text becomes the draft.
  watch(
    () => timeline.state.messages && editing.value && timeline.isDeleted(editing.value.id),
    (isGone) => isGone && keepAsDraft(),
    { immediate: true },
  )

  /** Ends an edit and keeps its text in the draft. */
  function keepAsDraft() {
    setAside = joined(text.value, setAside)
    actions.cancel()
    notify(t('chat.editGone'))
  }

  /** Puts the text and the files of a failed message back. @param {import('@/timeline/outbox').Entry} entry */
  async function putBack({ content, replyTo: answered, hasLostReply, files = [] }) {
    if (editing.value) actions.cancel()
    await nextTick()
    text.value = joined(content, text.value)
    replyTo.value = (hasLostReply ? null : answered) ?? replyTo.value
    if (files.length) tray.restore([...files, ...tray.files.value])
  }

  return { text, keepAsDraft, putBack }
}
