/** What is loaded when files are added: their checks, and the words for those that are left out. */
import '@/i18n/files'
import { i18n } from '@/i18n'
import { sizeOf } from '@/i18n/dates'
import { FILES_MAX } from '@/text/attachments'

export { admitted, dropStaged, stage, stillThere } from './stage'

/**
 * A sentence for each reason why files were left out.
 *
 * @param {{ file: { name: string }, why: 'tooLarge' | 'tooMany' | 'empty' | 'folder' }[]} leftOut
 * @param {number} maxBytes
 */
export function whyLeftOut(leftOut, maxBytes) {
  const { t } = i18n.global
  const reasons = [...new Set(leftOut.map(({ why }) => why))]
  return reasons.map((why) => {
    const names = leftOut.filter((one) => one.why === why).map(({ file }) => file.name)
    return t(`media.leftOut.${why}`, { name: names.join(', '), size: sizeOf(maxBytes), n: FILES_MAX })
  })
}
