/**
 * The texts of the hooks of a chat. Importing this module adds them to the others. A component that shows one of them
 * imports it and is itself not in the first load.
 */
import { i18n } from '../index'
import en from './en'
import ru from './ru'

i18n.global.mergeLocaleMessage('en', en)
i18n.global.mergeLocaleMessage('ru', ru)
