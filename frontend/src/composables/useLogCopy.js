import { dayAndTimeOf } from '@/i18n/dates'
import { i18n } from '@/i18n'
import { wordsOfFiles } from '@/text/attachments'
import { useUsers } from '@/stores/users'

const BLOCKS = new Set(['BLOCKQUOTE', 'UL', 'OL', 'LI', 'PRE', 'DIV'])

/**
 * Copies several messages with their senders and times, each as it was typed if all of it is selected. A part of one message
 * is copied as it is.
 *
 * @param {import('vue').Ref<HTMLElement | null>} log
 * @param {import('@/stores/timelines').Timeline} timeline
 */
export function useLogCopy(log, timeline) {
  const users = useUsers()

  /** @param {Range} range @param {Element} message */
  function blockOf(range, message) {
    const element = message.querySelector('.text')
    const { text, isAll } = element ? textWithin(range, element) : { text: '', isAll: true }
    const known = timeline.state.messages.find(({ seq }) => seq === Number(message.getAttribute('data-seq')))
    if (!known || (element && !text)) return text
    const files = wordsOfFiles(known, i18n.global.t)
    const lines = [files && `[${files}]`, isAll ? known.content : text].filter(Boolean)
    return `${users.nameOf(known.sender_id)}, ${dayAndTimeOf(known.created_at)}\n${lines.join('\n')}`
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

/**
 * The part of an element's text that is within a range, and whether it is all of it.
 *
 * @param {Range} range
 * @param {Element} element
 */
function textWithin(range, element) {
  const part = document.createRange()
  part.selectNodeContents(element)
  const all = part.toString()
  if (range.compareBoundaryPoints(Range.START_TO_START, part) > 0)
    part.setStart(range.startContainer, range.startOffset)
  if (range.compareBoundaryPoints(Range.END_TO_END, part) < 0)
    part.setEnd(range.endContainer, range.endOffset)
  return { text: linesOf(part.cloneContents()), isAll: part.toString() === all }
}

/** The text of nodes, with line breaks around blocks. @param {Node} node @returns {string} */
function linesOf(node) {
  let text = ''
  for (const child of node.childNodes) {
    const isBlock = BLOCKS.has(child.nodeName)
    if (isBlock && text && !text.endsWith('\n')) text += '\n'
    text += child.nodeType === Node.TEXT_NODE ? child.textContent : linesOf(child)
    if (isBlock && child.nextSibling && !text.endsWith('\n')) text += '\n'
  }
  return text
}
