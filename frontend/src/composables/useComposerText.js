import { nextTick, ref, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { joined } from '@/services/texts'
import { useDrafts } from '@/stores/drafts'
import { useNotices } from './useNotices'

/**
 * The text in the composer: the draft of the chat, or the edit of a message, in whose place the draft comes back. Both are
 * stored at each change.
 *
 * @param {number} chatId
 * @param {import('@/stores/timelines').Timeline} timeline
 * @param {ReturnType<typeof import('./useMessageActions').useMessageActions>} actions
 */
export function useComposerText(chatId, timeline, actions) {
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

  // Before the watcher that stores the text: the text changes here.
  watch(editing, (message, before) => {
    if (!before) setAside = text.value
    text.value = message ? message.content : setAside
  })

  watch([text, replyTo, editing], () => {
    const edit = editing.value && {
      message: { id: editing.value.id, content: editing.value.content },
      text: text.value,
    }
    drafts.set(chatId, { text: edit ? setAside : text.value, replyTo: replyTo.value, edit })
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

  /** Puts the text of a failed message back. @param {import('@/timeline/outbox').Entry} entry */
  async function putBack({ content, replyTo: answered, hasLostReply }) {
    if (editing.value) actions.cancel()
    await nextTick()
    text.value = joined(content, text.value)
    replyTo.value = (hasLostReply ? null : answered) ?? replyTo.value
  }

  return { text, keepAsDraft, putBack }
}
