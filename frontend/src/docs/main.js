import { createApp } from 'vue'
import '../styles/tokens.css'
import './docs.css'
import DocsPage from './DocsPage.vue'

createApp(DocsPage).mount('#docs')
