import { useEventListener } from '@vueuse/core'
import { ref } from 'vue'
import { isCovered } from '@/services/overlays'

/** @param {DragEvent} event */
const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes('Files') ?? false

/**
 * Takes files that are dropped on a part of the page. Files that are dropped beside it do nothing: the browser would leave
 * the page to show them.
 *
 * @param {import('vue').Ref<HTMLElement | null>} area
 * @param {object} options
 * @param {() => boolean} options.mayDrop
 * @param {(files: File[]) => void} options.onDrop
 */
export function useFileDrop(area, { mayDrop, onDrop }) {
  /** Whether files are over the area. */
  const isOver = ref(false)

  /** Whether something in the page takes them. @param {DragEvent} event */
  const isTaken = ({ defaultPrevented }) => defaultPrevented
  /** @param {DragEvent} event */
  const isHere = ({ target }) =>
    !isCovered() && mayDrop() && area.value?.contains(/** @type {Node} */ (target))

  useEventListener(window, 'dragover', (event) => {
    if (!hasFiles(event)) return
    if (isTaken(event)) return (isOver.value = false)
    event.preventDefault()
    isOver.value = Boolean(isHere(event))
    if (event.dataTransfer) event.dataTransfer.dropEffect = isOver.value ? 'copy' : 'none'
  })
  // A null target: the drag has left the window.
  useEventListener(window, 'dragleave', ({ relatedTarget }) => {
    if (!relatedTarget) isOver.value = false
  })
  useEventListener(window, 'drop', (event) => {
    if (!hasFiles(event)) return
    isOver.value = false
    if (isTaken(event)) return
    event.preventDefault()
    if (isHere(event)) onDrop(filesOf(/** @type {DataTransfer} */ (event.dataTransfer)))
  })
  return isOver
}

/** The files of a drop. Folders look like files of which nothing can be read, so they are marked. @param {DataTransfer} transfer */
function filesOf(transfer) {
  return [...transfer.items].flatMap((item) => {
    const file = item.kind === 'file' ? item.getAsFile() : null
    if (!file) return []
    const isFolder = item.webkitGetAsEntry?.()?.isDirectory ?? false
    return [isFolder ? Object.assign(file, { isFolder }) : file]
  })
}

/**
 * The files of a paste that are to be attached: none if the clipboard also has a formatted text, as from a table, of which the
 * picture is only a copy.
 *
 * @param {DataTransfer | null} clipboard
 * @returns {File[]}
 */
export function filesOfPaste(clipboard) {
  const types = clipboard?.types ?? []
  const isText = types.includes('text/plain') && (types.includes('text/html') || types.includes('text/rtf'))
  return isText ? [] : [...(clipboard?.files ?? [])]
}
