import { ref } from 'vue'

/** Rises with each account that is made in a dialog. */
const changes = ref(0)

/** Tells the admin page that its list of people is out of date. */
export function useAccountChanges() {
  return { changes, announce: () => void changes.value++ }
}
