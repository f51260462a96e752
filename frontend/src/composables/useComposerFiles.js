import { computed, onMounted, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { useServer } from '@/stores/server'
import { FILES_MAX } from '@/text/attachments'
import { filesOfPaste } from './useFileDrop'
import { useNotices } from './useNotices'
import { useTray } from './useTray'
import { useWebSocket } from './useWebSocket'

/**
 * The files of the message that is being written. They go into a new message, not into one that is being edited.
 *
 * @param {number} chatId
 * @param {object} composer
 * @param {any} composer.actions those of the messages of the chat
 * @param {() => void} composer.focus puts the caret into the text
 * @param {() => void} composer.submit sends the message
 */
export function useComposerFiles(chatId, { actions, focus, submit }) {
  const { t } = useI18n()
  const { on } = useWebSocket()
  const { notify } = useNotices()
  const { editing } = actions
  const server = useServer()
  const tray = useTray(chatId)

  /** With files a message needs no text. */
  const hasFiles = computed(() =>
    Boolean(editing.value ? editing.value.attachments?.length : tray.files.value.length),
  )
  /** Not while files are being read; and a message that is put back has its files beside those that are there. */
  const areReady = computed(
    () => !tray.reading.value && (Boolean(editing.value) || tray.files.value.length <= FILES_MAX),
  )
  /** An older server takes none. */
  const takesFiles = computed(() => Boolean(server.info?.max_upload_bytes))
  const loadLimits = () => server.info || server.load()
  onMounted(loadLimits)
  on('connected', loadLimits)

  /** How many files there were when the user wanted to send, while others were being read; null: they did not. */
  let wantedAt = /** @type {number | null} */ (null)
  watch(tray.reading, (count) => {
    // Of files that are all left out the user reads first.
    const isWanted = !count && wantedAt !== null && tray.files.value.length > wantedAt
    if (!count) wantedAt = null
    if (isWanted) submit()
  })

  /** @param {Iterable<File>} files */
  async function attach(files) {
    await tray.add(files)
    if (matchMedia('(hover: hover)').matches) focus()
  }

  /** @param {ClipboardEvent} event */
  function paste(event) {
    const files = filesOfPaste(event.clipboardData)
    if (!files.length) return
    event.preventDefault()
    if (editing.value) notify(t('files.notIntoEdit'))
    else attach(files) // which says so if the server takes none
  }

  return {
    tray,
    takesFiles,
    hasFiles,
    areReady,
    attach,
    paste,
    mayAttach: () => takesFiles.value && actions.canWrite() && !editing.value,
    /** The message is sent when the files are read that are being read now. */
    sendWhenRead() {
      if (tray.reading.value && !editing.value) wantedAt = tray.files.value.length
    },
    /** The user goes on writing. */
    keepWhenRead() {
      wantedAt = null
    },
  }
}
