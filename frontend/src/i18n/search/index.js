/** The texts of a search. Importing this module adds them to the others: see `later/index.js`. */
import { i18n } from '../index'
import en from './en'
import ru from './ru'

i18n.global.mergeLocaleMessage('en', en)
i18n.global.mergeLocaleMessage('ru', ru)
