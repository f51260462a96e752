import { onScopeDispose, ref, watch } from 'vue'
import { fileOf } from '@/services/fileStore'
import { useSession } from '@/stores/session'

/**
 * The address of a picture that is not sent yet; empty while it is read, and without a key.
 *
 * @param {() => string | undefined} keyOf the key of the file in the browser
 */
export function usePreview(keyOf) {
  const session = useSession()
  const url = ref('')
  let isOver = false

  function revoke() {
    if (url.value) URL.revokeObjectURL(url.value)
    url.value = ''
  }

  watch(
    keyOf,
    async (key) => {
      if (!key) return // what was shown stays until the sent picture is there
      revoke()
      const file = await fileOf(/** @type {number} */ (session.userId), key)
      if (file && !isOver && keyOf() === key) url.value = URL.createObjectURL(file)
    },
    { immediate: true },
  )
  onScopeDispose(() => {
    isOver = true
    revoke()
  })
  return url
}
