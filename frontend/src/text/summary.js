import { i18n } from '@/i18n'
import { wordsOfFiles } from './attachments'
import { previewOf } from './format'

/**
 * A message in one line, as lists, quotes and announcements show it: its files in words, and its text without markers.
 *
 * @param {Pick<import('@/types').Message, 'content'> & Partial<import('@/types').Message>} message
 */
export function summaryOf(message) {
  return [wordsOfFiles(message, i18n.global.t), previewOf(message.content)].filter(Boolean).join(' · ')
}
