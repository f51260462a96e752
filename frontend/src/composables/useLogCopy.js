import { dayAndTimeOf } from '@/i18n/dates'
import { useUsers } from '@/stores/users'

/**
 * Copies several messages with their senders and times. A part of one message is copied as it is.
 *
 * @param {import('vue').Ref<HTMLElement | null>} log
 * @param {import('@/stores/timelines').Timeline} timeline
 */
export function useLogCopy(log, timeline) {
  const users = useUsers()

  /** @param {Range} range @param {Element} message */
  function blockOf(range, message) {
    const text = textWithin(range, /** @type {Element} */ (message.querySelector('.text')))
    const known = timeline.state.messages.find(({ seq }) => seq === Number(message.getAttribute('data-seq')))
    if (!text || !known) return text
    return `${users.nameOf(known.sender_id)}, ${dayAndTimeOf(known.created_at)}\n${text}`
  }

  /** @param {ClipboardEvent} event */
  return function copy(event) {
    const selection = getSelection()
    if (!selection?.rangeCount || selection.isCollapsed) return
    const range = selection.getRangeAt(0)
    const all = [...(log.value?.querySelectorAll('[data-seq]') ?? [])]
    const blocks = all
      .filter((message) => range.intersectsNode(message))
      .map((message) => blockOf(range, message))
      .filter(Boolean)
    if (blocks.length < 2) return
    event.clipboardData?.setData('text/plain', blocks.join('\n\n'))
    event.preventDefault()
  }
}

/** The part of an element's text that is within a range. @param {Range} range @param {Element} element */
function textWithin(range, element) {
  const part = document.createRange()
  part.selectNodeContents(element)
  if (range.compareBoundaryPoints(Range.START_TO_START, part) > 0)
    part.setStart(range.startContainer, range.startOffset)
  if (range.compareBoundaryPoints(Range.END_TO_END, part) < 0)
    part.setEnd(range.endContainer, range.endOffset)
  return part.toString()
}
