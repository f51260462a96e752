import { h } from 'vue'
import CodeBlock from './CodeBlock.vue'
import MessageLink from './MessageLink.vue'

/**
 * @typedef {import('@/text/nodes').Node} Node
 * @typedef {import('vue').VNodeArrayChildren} Children
 *
 * @typedef {object} Props
 * @property {Node[]} nodes
 * @property {boolean} isActive whether Tab reaches links and buttons
 * @property {(found: string) => { end: number, name: string, isOwn: boolean } | null} mentionOf
 */

const TAGS = { bold: 'strong', italic: 'em', strike: 's' }

/**
 * The elements of a formatted text. Texts are always text nodes.
 *
 * @param {Props} props
 */
export function FormattedNodes({ nodes, ...context }) {
  return childrenOf(nodes, context)
}
FormattedNodes.props = ['nodes', 'isActive', 'mentionOf']

/** @param {Node[]} nodes @param {Omit<Props, 'nodes'>} context @returns {Children} */
const childrenOf = (nodes, context) => nodes.flatMap((node) => elementOf(node, context))

/** @param {Node} node @param {Omit<Props, 'nodes'>} context @returns {Children | string | import('vue').VNode} */
function elementOf({ kind, text = '', children = [], ...node }, context) {
  const { isActive } = context
  switch (kind) {
    case 'text':
      return text
    case 'code':
      return h('code', { dir: 'ltr' }, text)
    case 'codeBlock':
      return h(CodeBlock, { text, language: node.language, isActive })
    case 'link':
      return h(MessageLink, { href: node.href ?? '', pieces: node.pieces, label: node.label, isActive })
    case 'mention':
      return mentioned(text, context)
    case 'list':
      return h(node.isOrdered ? 'ol' : 'ul', { dir: 'auto' }, childrenOf(children, context))
    case 'quote':
      return h('blockquote', { dir: 'auto' }, childrenOf(children, context))
    case 'item':
      return h('li', { value: node.number }, childrenOf(children, context))
    default:
      return h(TAGS[kind], childrenOf(children, context))
  }
}

/** @param {string} text @param {Omit<Props, 'nodes'>} context @returns {Children | string} */
function mentioned(text, { mentionOf }) {
  const found = mentionOf(text)
  if (!found) return text
  const { end, name, isOwn } = found
  return [
    h('bdi', { class: ['mention', { own: isOwn }], title: name || null }, text.slice(0, end)),
    text.slice(end),
  ]
}
