/** The parts of a formatted text. */

/**
 * A part of a formatted text.
 *
 * @typedef {object} Node
 * @property {'text' | 'bold' | 'italic' | 'strike' | 'code' | 'codeBlock' | 'link' | 'mention' | 'quote' | 'list' | 'item'} kind
 * @property {string} [text] of a text, of code, of a link that is an address, and of a possible mention, which begins with `@`
 * @property {string} [language] of a code block
 * @property {string} [href] of a link
 * @property {[string, string, string]} [pieces] of a link: what its address shows before its host, the host, and after it
 * @property {string} [label] of a link whose text is not its address
 * @property {boolean} [isOrdered] of a list
 * @property {number} [number] of an item of an ordered list, as it was typed
 * @property {Node[]} [children]
 */

/**
 * Adds a node; a text is joined with the text before it.
 *
 * @param {Node[]} nodes
 * @param {Node} node
 */
export function append(nodes, node) {
  const last = nodes[nodes.length - 1]
  if (node.kind === 'text' && last?.kind === 'text')
    nodes[nodes.length - 1] = { ...last, text: `${last.text}${node.text}` }
  else nodes.push(node)
}
